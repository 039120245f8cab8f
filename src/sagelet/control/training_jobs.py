"""Operations on training jobs: recorded here, done by the runner."""

from __future__ import annotations

from sagelet.control.context import Context, Document
from sagelet.control.documents import training_jobs as documents
from sagelet.control.documents import training_requests as requests
from sagelet.control.documents.paging import read_query, show_page
from sagelet.control.documents.tags import read_tags
from sagelet.control.holding import Subject
from sagelet.control.training_data import check_data
from sagelet.domain.training import SecondaryStatus, TrainingJob, TrainingJobStatus
from sagelet.errors import InvalidRequest

LOG_GROUP = "/aws/sagemaker/TrainingJobs"

# SageMaker's own words for a status.
_STARTING = "Starting the training job"
_STOPPING = "Stopping the training job"


def create(context: Context, document: Document) -> Document:
    """CreateTrainingJob: answered as soon as it is recorded; its data must be there.

    Raises:
        AlreadyExists
        InvalidRequest: its data or its output's place is not there, or a part is missing.
        NotSupported: it is a job that this release does not run.
    """
    now = context.clock.now()
    asked = requests.read_training_job(document, account=context.account, at=now)
    tags = read_tags(document)
    check_data(context.artifacts, asked, account=context.account)
    job = asked.moved_to(SecondaryStatus.STARTING, at=now, message=_STARTING)
    with context.store.writing() as tx:
        tx.training_jobs.add(job)
        tx.tags.put(job.arn, tags)
    context.runner.start(job)
    return documents.show_arn(job)


def stop(context: Context, document: Document) -> Document:
    """StopTrainingJob: asking again while a job is stopping changes nothing.

    Raises:
        TrainingJobNotFound
        InvalidRequest: it has ended.
    """
    _stop(context, requests.name_of(document))
    return {}


def kill(context: Context, name: str) -> None:
    """End a job without its grace; it need not have been stopped before.

    Raises:
        TrainingJobNotFound
        InvalidRequest: it has ended.
    """
    context.runner.kill(_stop(context, name))


def _stop(context: Context, name: str) -> TrainingJob:
    """Have a job stopped, unless it is being stopped; return it as it stands then."""
    with context.store.writing() as tx:
        job = tx.training_jobs.get(name)
        if job.status.is_terminal:
            raise InvalidRequest(
                message="The request was rejected because the training job is in status "
                f"{job.status}."
            )
        if job.status is TrainingJobStatus.STOPPING:
            return job
        stopping = job.moved_to(SecondaryStatus.STOPPING, at=context.clock.now(), message=_STOPPING)
        tx.training_jobs.put(stopping)
    context.runner.stop(stopping)
    return stopping


def delete(context: Context, document: Document) -> Document:
    """DeleteTrainingJob: its record, folder and log go, its artifacts stay in their bucket.

    Raises:
        TrainingJobNotFound
        InvalidRequest: it has not ended.
    """
    with context.store.writing() as tx:
        job = tx.training_jobs.get(requests.name_of(document))
        if not job.status.is_terminal:
            raise InvalidRequest(
                message="The request was rejected because the training job is in status "
                f"{job.status}."
            )
        tx.training_jobs.remove(job.name)
    context.runner.forget(job)
    for host in job.cluster.hosts:
        if context.logs.has_stream(LOG_GROUP, job.log_stream(host)):
            context.logs.delete_stream(LOG_GROUP, job.log_stream(host))
    return {}


def describe(context: Context, document: Document) -> Document:
    """DescribeTrainingJob."""
    job = _get(context, requests.name_of(document))
    return documents.show_training_job(job, account=context.account)


def list_all(context: Context, document: Document) -> Document:
    """ListTrainingJobs: no job here has a warm pool or a training plan."""
    if requests.asks_for_what_no_job_has(document):
        return documents.show_none()
    with context.store.reading() as snapshot:
        page = snapshot.training_jobs.list(read_query(document, order="Ascending"))
    return show_page("TrainingJobSummaries", page, documents.summarize)


def subject(context: Context, document: Document) -> Subject:
    """Return what a held DescribeTrainingJob waits for: the job's end, or more of its log."""
    name = requests.name_of(document)

    def is_settled() -> bool:
        return _get(context, name).status.is_terminal

    return Subject(
        arn=context.account.arn("training-job", name),
        is_settled=is_settled,
        log=f"{name}/",
    )


def _get(context: Context, name: str) -> TrainingJob:
    with context.store.reading() as snapshot:
        return snapshot.training_jobs.get(name)
