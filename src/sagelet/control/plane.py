"""The control plane: an operation's name and document in, its answer's document out.

answer ── members in no table? NotSupported
       ── InvokeEndpoint… ─────────────────────> the host, on this loop
       ── a waiter's Describe ── held ──┐
       └─ every other ──────────────────┴──────> an operation, in a thread
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from sagelet import __version__
from sagelet.artifacts.files import Artifacts
from sagelet.control import (
    endpoint_configs,
    endpoints,
    identity,
    invocations,
    logs,
    metrics,
    models,
    tags,
    training_jobs,
)
from sagelet.control.context import Caller, Context, Document, Operation
from sagelet.control.documents import logs as log_documents
from sagelet.control.holding import Holding, Subject
from sagelet.control.members import check_members
from sagelet.domain.account import Account
from sagelet.domain.clock import Clock
from sagelet.domain.seams import EndpointHost, JobRunner
from sagelet.journal.metric_store import MetricStore
from sagelet.journal.streams import LogStreams
from sagelet.store.store import Store
from sagelet.wire.faults import Fault

__all__ = ["SERVED", "Caller", "ControlPlane"]

Key: TypeAlias = tuple[str, str]

_BLOCKING: Mapping[Key, Operation] = {
    ("sagemaker", "CreateModel"): models.create,
    ("sagemaker", "DescribeModel"): models.describe,
    ("sagemaker", "DeleteModel"): models.delete,
    ("sagemaker", "ListModels"): models.list_all,
    ("sagemaker", "CreateEndpointConfig"): endpoint_configs.create,
    ("sagemaker", "DescribeEndpointConfig"): endpoint_configs.describe,
    ("sagemaker", "DeleteEndpointConfig"): endpoint_configs.delete,
    ("sagemaker", "ListEndpointConfigs"): endpoint_configs.list_all,
    ("sagemaker", "CreateEndpoint"): endpoints.create,
    ("sagemaker", "DescribeEndpoint"): endpoints.describe,
    ("sagemaker", "UpdateEndpoint"): endpoints.update,
    ("sagemaker", "UpdateEndpointWeightsAndCapacities"): endpoints.update_weights_and_capacities,
    ("sagemaker", "DeleteEndpoint"): endpoints.delete,
    ("sagemaker", "ListEndpoints"): endpoints.list_all,
    ("sagemaker", "CreateTrainingJob"): training_jobs.create,
    ("sagemaker", "DescribeTrainingJob"): training_jobs.describe,
    ("sagemaker", "StopTrainingJob"): training_jobs.stop,
    ("sagemaker", "DeleteTrainingJob"): training_jobs.delete,
    ("sagemaker", "ListTrainingJobs"): training_jobs.list_all,
    ("sagemaker", "AddTags"): tags.add,
    ("sagemaker", "ListTags"): tags.list_all,
    ("sagemaker", "DeleteTags"): tags.delete,
    ("logs", "CreateLogGroup"): logs.create_group,
    ("logs", "CreateLogStream"): logs.create_stream,
    ("logs", "PutLogEvents"): logs.put_events,
    ("logs", "DescribeLogGroups"): logs.describe_groups,
    ("logs", "DescribeLogStreams"): logs.describe_streams,
    ("logs", "GetLogEvents"): logs.get_events,
    ("logs", "FilterLogEvents"): logs.filter_events,
    ("logs", "DeleteLogGroup"): logs.delete_group,
    ("logs", "DeleteLogStream"): logs.delete_stream,
    ("cloudwatch", "GetMetricData"): metrics.get_data,
    ("cloudwatch", "GetMetricStatistics"): metrics.get_statistics,
    ("cloudwatch", "ListMetrics"): metrics.list_all,
    ("cloudwatch", "PutMetricData"): metrics.put_data,
    ("sts", "GetCallerIdentity"): identity.get_caller_identity,
    ("iam", "GetRole"): identity.get_role,
    ("iam", "SimulatePrincipalPolicy"): identity.simulate_principal_policy,
}

_METRICS = "cloudwatch"

_ON_THE_LOOP: Mapping[Key, Callable[[Context, Document], Awaitable[Document]]] = {
    ("sagemaker-runtime", "InvokeEndpoint"): invocations.invoke,
    ("sagemaker-runtime", "InvokeEndpointWithResponseStream"): (
        invocations.invoke_with_response_stream
    ),
}

_HELD: Mapping[Key, Callable[[Context, Document], Subject]] = {
    ("sagemaker", "DescribeEndpoint"): endpoints.subject,
    ("sagemaker", "DescribeTrainingJob"): training_jobs.subject,
}

SERVED: frozenset[Key] = frozenset(_BLOCKING) | frozenset(_ON_THE_LOOP)
"""Every operation that is served, as (service, operation)."""


class ControlPlane:
    """Answers AWS's operations on endpoints, jobs, logs and metrics. S3 is served elsewhere."""

    def __init__(
        self,
        *,
        store: Store,
        logs: LogStreams,
        metrics: MetricStore,
        runner: JobRunner,
        host: EndpointHost,
        artifacts: Artifacts,
        account: Account,
        clock: Clock,
        hold_s: float = 20.0,
    ) -> None:
        """Take the parts. `hold_s` is how long a waiter's Describe is held; 0 is not at all."""
        self._context = Context(
            store=store,
            logs=logs,
            metrics=metrics,
            runner=runner,
            host=host,
            artifacts=artifacts,
            account=account,
            clock=clock,
        )
        self._holding = Holding(store.changes, hold_s)

    def serves(self, service: str, operation: str) -> bool:
        """Return whether an operation is served."""
        return (service, operation) in SERVED

    def holds(self, service: str, operation: str) -> bool:
        """Return whether a waiter may have to wait for this operation's answer."""
        return (service, operation) in _HELD

    def not_served(self, service: str, operation: str) -> Fault:
        """Return what an operation that AWS has and we do not is answered with.

        400 is not repeated by the SDKs, as 500 and 501 would be.
        """
        return Fault(
            code="UnknownOperationException",
            status=400,
            message=f"{operation} of {service} is not served by sagelet {__version__}; "
            "the documentation lists the operations that are.",
        )

    async def kill_training_job(self, name: str) -> None:
        """End a training job without its grace, which AWS has no operation for.

        Raises:
            TrainingJobNotFound
            InvalidRequest: it has ended.
        """
        await asyncio.to_thread(training_jobs.kill, self._context, name)

    async def answer(
        self, service: str, operation: str, document: Document, caller: Caller
    ) -> Document:
        """Answer one request whose document was parsed and validated.

        Raises:
            SageletError: what was asked for cannot be done; nothing was changed.
            Fault: the operation is not served, or the model refused an invocation.
        """
        key = (service, operation)
        if key not in SERVED:
            raise self.not_served(service, operation)
        check_members(operation, document)
        if key in _ON_THE_LOOP:
            return await _ON_THE_LOOP[key](self._context, document)
        if key in _HELD:
            await self._holding.hold(_HELD[key](self._context, document), caller)
        if service == _METRICS:
            self._context.metrics.endpoints.gather()
        shown = await asyncio.to_thread(_BLOCKING[key], self._context, document)
        if key == ("logs", "GetLogEvents"):
            self._holding.log_was_read(caller, log_documents.stream_of(document))
        return shown
