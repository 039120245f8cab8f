"""One training job: its course, hosts, metrics, log, what it left, and how to end it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.artifacts.uris import parse_uri
from sagelet.control.context import Document
from sagelet.errors import InvalidRequest
from sagelet.web import job_view
from sagelet.web.access.guard import checked_form
from sagelet.web.deploying import DeployForm, deploy, form_of
from sagelet.web.downloads import attachment
from sagelet.web.faults import Refused, problem_of
from sagelet.web.job_hosts import JobHosts, host_names
from sagelet.web.job_metrics import metric_charts
from sagelet.web.log_view import JOB_GROUP, download_of, log_view
from sagelet.web.rendering import FRAGMENT
from sagelet.web.site import Site
from sagelet.web.timeline import ENDED, phases
from sagelet.web.trees import Trees


class JobPages:
    """`/jobs/{name}`, and what is below it."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site
        self._hosts = JobHosts(site.backend)
        self._trees = Trees(site.backend.artifacts)

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/jobs/{name}", self._show, methods=["GET"]),
            Route("/jobs/{name}/stop", self._stop, methods=["POST"]),
            Route("/jobs/{name}/kill", self._kill, methods=["POST"]),
            Route("/jobs/{name}/deploy", self._deploy, methods=["POST"]),
            Route("/jobs/{name}/log.txt", self._log, methods=["GET"]),
            Route("/jobs/{name}/artifacts/{file}", self._artifact, methods=["GET"]),
        ]

    async def _show(self, request: Request) -> Response:
        return await self._page(request, await self._job(request))

    async def _page(
        self,
        request: Request,
        job: Document,
        status: int = 200,
        *,
        notice: str = "",
        form: DeployForm | None = None,
    ) -> Response:
        """Render the page, or the block of it that is asked for: only its own facts are fetched."""
        parts: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
            "job_head": lambda: self._head(job),
            "job_course": lambda: self._course(job),
            "job_metrics": lambda: self._metrics(job),
            "job_artifacts": lambda: self._left(job),
            "job_deploy": lambda: self._deployable(job, form),
        }
        wanted = request.headers.get(FRAGMENT)
        context: dict[str, Any] = {"job": job, "has_ended": _has_ended(job), "notice": notice}
        if wanted is None:
            parts["log"] = lambda: self._asked(request, job)
        for part in [parts[wanted]] if wanted in parts else parts.values():
            context |= await part()
        return self._site.rendering.page(request, "job.html.j2", status, **context)

    async def _head(self, job: Document) -> dict[str, Any]:
        rows = await asyncio.to_thread(self._hosts.rows, job)
        return {"failure": job_view.failure_of(job, rows)}

    async def _course(self, job: Document) -> dict[str, Any]:
        now = self._site.backend.clock.now()
        return {
            "hosts": await asyncio.to_thread(self._hosts.rows, job),
            "phases": phases(job["SecondaryStatusTransitions"], now=now),
        }

    async def _metrics(self, job: Document) -> dict[str, Any]:
        return {
            "charts": await metric_charts(self._site.backend, job, host_names(job)),
            "final": job.get("FinalMetricDataList", []),
        }

    async def _left(self, job: Document) -> dict[str, Any]:
        found = await asyncio.to_thread(job_view.artifacts_of, self._site.backend, job)
        listings = {
            each.file: await asyncio.to_thread(self._trees.listing, parse_uri(each.uri))
            for each in found
            if each.is_there
        }
        return {"artifacts": found, "listings": listings}

    async def _deployable(self, job: Document, form: DeployForm | None) -> dict[str, Any]:
        if job["TrainingJobStatus"] not in ("Completed", "Stopped"):
            return {"deployable": None}
        shown = form or await form_of(self._site.backend, self._trees, job)
        return {"deployable": shown}

    async def _asked(self, request: Request, job: Document) -> dict[str, Any]:
        name = job["TrainingJobName"]
        view = await log_view(
            self._site.backend,
            request,
            group=JOB_GROUP,
            prefix=f"{name}/",
            download=f"/jobs/{name}/log.txt",
        )
        return {
            "log": view,
            "parameters": job_view.parameters_of(job),
            "channels": job_view.channels_of(job),
            "again": job_view.again(job),
            "masked": job_view.MASKED,
            "again_by_boto3": job_view.again_by_boto3(job),
        }

    async def _stop(self, request: Request) -> Response:
        await checked_form(request)
        job = await self._job(request)
        name = job["TrainingJobName"]
        stopping = self._site.backend.call("sagemaker", "StopTrainingJob", TrainingJobName=name)
        return await self._ended(request, name, stopping)

    async def _kill(self, request: Request) -> Response:
        await checked_form(request)
        job = await self._job(request)
        name = job["TrainingJobName"]
        return await self._ended(request, name, self._site.backend.kill_job(name))

    async def _ended(self, request: Request, name: str, ending: Awaitable[object]) -> Response:
        """Show the job after somebody asked for its end, which may have come before."""
        try:
            await ending
        except InvalidRequest as error:
            notice = f"{error} It had ended before it could be stopped."
            return await self._page(request, await self._job(request), 400, notice=notice)
        return RedirectResponse(f"/jobs/{name}", status_code=303)

    async def _deploy(self, request: Request) -> Response:
        asked = await checked_form(request)
        job = await self._job(request)
        form = await form_of(self._site.backend, self._trees, job)
        if form is None:
            raise Refused(409, f"{job['TrainingJobName']} has left no model that can be served")
        filled = form.filled(asked)
        done = await deploy(self._site.backend, job, filled)
        if done.error is None:
            return RedirectResponse(f"/endpoints/{done.endpoint}", status_code=303)
        status = problem_of(done.error).status
        return await self._page(request, job, status, form=done)

    async def _log(self, request: Request) -> Response:
        name = (await self._job(request))["TrainingJobName"]
        return download_of(self._site.backend, name, group=JOB_GROUP, prefix=f"{name}/")

    async def _artifact(self, request: Request) -> Response:
        job = await self._job(request)
        file = request.path_params["file"]
        backend = self._site.backend
        found = await asyncio.to_thread(job_view.artifact_of, backend, job, file)
        if found is None or found.is_folder:
            raise Refused(404, f"{job['TrainingJobName']} has left no {file[:80]}")
        path = await asyncio.to_thread(backend.artifacts.local_path, parse_uri(found.uri))
        headers = attachment(f"{job['TrainingJobName']}-{found.file}")
        return FileResponse(path, media_type="application/gzip", headers=headers)

    async def _job(self, request: Request) -> Document:
        name = request.path_params["name"]
        return await self._site.backend.call(
            "sagemaker", "DescribeTrainingJob", TrainingJobName=name
        )


def _has_ended(job: Document) -> bool:
    return job["TrainingJobStatus"] in ENDED
