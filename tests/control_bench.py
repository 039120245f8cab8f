"""A control plane on a store in memory, real buckets and logs, and scripted runner and host."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botocore.validate import ParamValidator

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.control.deviations import WIDENED
from sagelet.control.documents.invocations import LOCAL_HEADERS
from sagelet.control.plane import Caller, ControlPlane
from sagelet.domain.home import Home
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.training import SecondaryStatus
from sagelet.journal.metric_store import MetricStore
from sagelet.journal.streams import LogStreams
from sagelet.store.store import Store
from sagelet.wire.models import service_model
from sagelet.wire.validation import validate
from tests.builders import ACCOUNT, a_store, a_training_document
from tests.fakes import HeldClock, ScriptedHost, ScriptedRunner

PERSON = Caller("AKIATEST", is_waiter=False)
WAITER = Caller("AKIATEST", is_waiter=True)


@dataclass(frozen=True)
class Bench:
    """The plane and what is around it. Documents are checked both ways against AWS's model."""

    plane: ControlPlane
    store: Store
    logs: LogStreams
    buckets: Buckets
    runner: ScriptedRunner
    host: ScriptedHost
    clock: HeldClock
    metrics: MetricStore

    async def ask(
        self,
        operation: str,
        caller: Caller = PERSON,
        /,
        **document: Any,  # noqa: ANN401  AWS's members
    ) -> dict[str, Any]:
        return await self.ask_service("sagemaker", operation, caller, **document)

    async def ask_service(
        self,
        service: str,
        operation: str,
        caller: Caller = PERSON,
        /,
        **document: Any,  # noqa: ANN401  AWS's members
    ) -> dict[str, Any]:
        model = service_model(service).operation_model(operation)
        validate(document, model, WIDENED)
        shown = await self.plane.answer(service, operation, document, caller)
        if model.output_shape is not None:
            aws_own = {name: shown[name] for name in shown if name != LOCAL_HEADERS}
            report = ParamValidator().validate(aws_own, model.output_shape)
            assert not report.has_errors(), report.generate_report()
        else:
            assert shown == {}
        assert_nothing_empty(shown)
        return shown

    def put_object(self, bucket: str, key: str, body: bytes = b"x") -> None:
        if bucket not in {found.name for found in self.buckets.list_buckets()}:
            self.buckets.create_bucket(bucket)
        self.buckets.put(bucket, key, io.BytesIO(body))

    async def create_model(self, name: str = "sentiment") -> None:
        self.put_object("models", "sentiment/model.tar.gz")
        await self.ask(
            "CreateModel",
            ModelName=name,
            PrimaryContainer={
                "Image": "pytorch-inference:2.3.0",
                "ModelDataUrl": "s3://models/sentiment/model.tar.gz",
                "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
            },
            ExecutionRoleArn="AmazonSageMakerFullAccess",
        )

    async def create_config(self, name: str = "sentiment-1", model: str = "sentiment") -> None:
        await self.ask(
            "CreateEndpointConfig",
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": "AllTraffic",
                    "ModelName": model,
                    "InstanceType": "local",
                    "InitialInstanceCount": 1,
                }
            ],
        )

    async def create_endpoint(
        self, name: str = "sentiment", status: EndpointStatus = EndpointStatus.CREATING
    ) -> None:
        """Create model, configuration and endpoint, and bring it to a status as the host would."""
        await self.create_model()
        await self.create_config()
        await self.ask("CreateEndpoint", EndpointName=name, EndpointConfigName="sentiment-1")
        if status is not EndpointStatus.CREATING:
            self.move_endpoint(name, status)

    def move_endpoint(
        self, name: str, status: EndpointStatus, failure_reason: str | None = None
    ) -> None:
        with self.store.writing() as tx:
            endpoint = tx.endpoints.get(name)
            moved = endpoint.moved_to(status, at=self.clock.now(), failure_reason=failure_reason)
            if status is EndpointStatus.IN_SERVICE:
                moved = replace(moved, serving=moved.wanted)
            tx.endpoints.put(moved)

    async def create_job(self, name: str = "train-1", /, **members: Any) -> None:  # noqa: ANN401  AWS's members
        self.put_object("data", "train/part-0.csv")
        await self.ask("CreateTrainingJob", **a_training_document(name, **members))

    def move_job(self, name: str, *statuses: SecondaryStatus, reason: str | None = None) -> None:
        for status in statuses:
            self.clock.move(10)
            with self.store.writing() as tx:
                job = tx.training_jobs.get(name)
                tx.training_jobs.put(
                    job.moved_to(
                        status, at=self.clock.now(), message=f"{status}.", failure_reason=reason
                    )
                )


def assert_nothing_empty(value: object, at: str = "") -> None:
    """SDK v3 cannot read members that are there and empty."""
    if isinstance(value, dict):
        for name, member in value.items():
            assert member is not None, f"{at}.{name} is None"
            assert member != {}, f"{at}.{name} is {{}}"
            assert_nothing_empty(member, f"{at}.{name}")
    elif isinstance(value, list):
        for item in value:
            assert_nothing_empty(item, at)


def a_bench(tmp_path: Path, *, hold_s: float = 0.0, host: ScriptedHost | None = None) -> Bench:
    """Return a bench; waiters are held for `hold_s`."""
    store, logs, clock = a_store(), LogStreams(tmp_path / "logs"), HeldClock()
    buckets = Buckets(tmp_path / "buckets")
    buckets.create_bucket("artifacts", ACCOUNT.region)
    runner, host = ScriptedRunner(), host or ScriptedHost()
    metrics = MetricStore(Home(tmp_path))
    plane = ControlPlane(
        store=store,
        logs=logs,
        metrics=metrics,
        runner=runner,
        host=host,
        artifacts=Artifacts(buckets),
        account=ACCOUNT,
        clock=clock,
        hold_s=hold_s,
    )
    return Bench(plane, store, logs, buckets, runner, host, clock, metrics)
