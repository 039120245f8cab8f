"""What is refused when a request is read: hostile, damaged or merely wrong bodies."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagelet.wire.documents import Document
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead
from sagelet.wire.models import service_model
from sagelet.wire.parsing import parse
from sagelet.wire.routing import Route, protocol_of

POST = RequestHead("POST", "/", "", Headers())


def a_route(service: str, operation: str) -> Route:
    return Route(service, protocol_of(service), service_model(service).operation_model(operation))


def read(body: bytes | str | Document, operation: str = "CreateModel") -> Document:
    if isinstance(body, dict):
        body = json.dumps(body)
    return parse(
        a_route("sagemaker", operation), POST, body.encode() if isinstance(body, str) else body
    )


def refused(body: bytes | str | Document, operation: str = "CreateModel") -> Fault:
    with pytest.raises(Fault) as caught:
        read(body, operation)
    assert caught.value.status == 400
    return caught.value


def outcome(act: Callable[[], object]) -> str:
    """Say whether an act went well, or the code of its fault."""
    try:
        act()
    except Fault as fault:
        return fault.code
    return "read"


class TestJson:
    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"not json",
            b"[]",
            b"null",
            b'"text"',
            b"1",
            b"\xff\xfe{}",
            '{"ModelName": "m"}'.encode("utf-16"),
            b'\xef\xbb\xbf{"ModelName": "m"}',
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'{"ModelName": 1e400}',
            b'{"ModelName": -1e400}',
            b'{"Unknown": 1e999}',
            b'{"ModelName": NaN}',
            b'{"Unknown": Infinity}',
            b'{"Unknown": -Infinity}',
            b'{"Unknown": ' + b"9" * 20_000 + b"}",
            b'{"ModelName": "m"} trailing',
            b'{"ModelName": "\\ud800"}',
            b'{"ModelName": "a\x00b"}',
            b"{'ModelName': 'm'}",
        ],
        ids=lambda body: str(body[:24]),
    )
    def test_a_body_that_is_not_json_is_refused(self, body: bytes) -> None:
        assert refused(body).code == "SerializationException"

    def test_a_number_of_twenty_megabytes_is_refused_at_once(self) -> None:
        assert refused(b'{"X": ' + b"1" * 20_000_000 + b"}").code == "SerializationException"

    @pytest.mark.parametrize(
        ("member", "value", "words"),
        [
            ("ModelName", 1, "NUMBER_VALUE can not be converted to a String (at 'modelName')"),
            ("ModelName", 1.5, "DECIMAL_VALUE can not be converted to a String (at 'modelName')"),
            ("ModelName", True, "TRUE_VALUE can not be converted to a String (at 'modelName')"),
            ("ModelName", [], "START_ARRAY can not be converted to a String (at 'modelName')"),
            ("ModelName", {}, "START_OBJECT can not be converted to a String (at 'modelName')"),
            ("Containers", {}, "Expected list or null (at 'containers')"),
            ("Containers", "x", "Expected list or null (at 'containers')"),
            (
                "Containers",
                [None],
                "NULL_VALUE found where a structure was expected (at 'containers.1.member')",
            ),
            (
                "PrimaryContainer",
                [],
                "START_ARRAY found where a structure was expected (at 'primaryContainer')",
            ),
            (
                "PrimaryContainer",
                {"Environment": []},
                "Expected map or null (at 'primaryContainer.environment')",
            ),
            (
                "PrimaryContainer",
                {"Environment": {"A": 1}},
                "NUMBER_VALUE can not be converted to a String "
                "(at 'primaryContainer.environment.A')",
            ),
            (
                "EnableNetworkIsolation",
                "true",
                "STRING_VALUE can not be converted to a Boolean (at 'enableNetworkIsolation')",
            ),
        ],
    )
    def test_a_value_of_another_type_is_named_with_its_place(
        self, member: str, value: object, words: str
    ) -> None:
        fault = refused({member: value})
        assert fault.code == "SerializationException"
        assert fault.message == words

    @pytest.mark.parametrize("value", ["1", 1.5, True, 2**31, -(2**31) - 1, 10**400, [1], {}])
    def test_an_integer_is_whole_and_of_thirty_two_bits(self, value: object) -> None:
        body = (
            json.dumps({"MaxResults": value})
            if value != 10**400
            else ('{"MaxResults": 1' + "0" * 400 + "}")
        )
        assert refused(body, "ListModels").code == "SerializationException"

    @pytest.mark.parametrize("value", [5, 5.0])
    def test_a_whole_number_may_be_written_as_a_decimal(self, value: float) -> None:
        assert read({"MaxResults": value}, "ListModels") == {"MaxResults": 5}

    @pytest.mark.parametrize("value", [True, "x", [], 1e300, -1e300, 10**30, "2026-99-99"])
    def test_a_time_that_no_calendar_has_is_refused(self, value: object) -> None:
        assert refused({"CreationTimeAfter": value}, "ListModels").code == "SerializationException"

    @pytest.mark.parametrize(
        "value",
        [1767323045, 1767323045.0, "1767323045", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05"],
    )
    def test_a_time_is_a_number_of_seconds_or_text(self, value: object) -> None:
        found = read({"CreationTimeAfter": value}, "ListModels")
        assert found == {"CreationTimeAfter": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}

    def test_unknown_members_and_nulls_are_ignored(self) -> None:
        body = {"ModelName": "m", "Unknown": {"deep": [1]}, "PrimaryContainer": None}
        assert read(body) == {"ModelName": "m"}
        assert read({"PrimaryContainer": {"Image": "i", "Nope": 1, "Mode": None}}) == {
            "PrimaryContainer": {"Image": "i"}
        }

    def test_of_a_name_given_twice_the_last_counts(self) -> None:
        assert read('{"ModelName": "a", "ModelName": "b"}') == {"ModelName": "b"}

    def test_nesting_in_what_the_model_does_not_know_does_no_harm(self) -> None:
        # Deep enough to hurt a recursive reader, and not so deep that json itself gives up.
        assert read('{"Unknown": ' + "[" * 400 + "]" * 400 + "}") == {}

    def test_nesting_in_a_shape_that_holds_itself_is_bounded(self) -> None:
        body = '{"Resource": "Endpoint", "SearchExpression": '
        body += '{"SubExpressions": [' * 200 + "]}" * 200 + "}"
        assert refused(body, "Search").code == "SerializationException"

    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_refused(self, body: bytes) -> None:
        assert outcome(lambda: read(body)) in ("read", "SerializationException")

    @settings(max_examples=150, deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["ResourceConfig", "InputDataConfig", "Tags", "Key", "RoleArn"]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=20,
        )
    )
    def test_any_json_is_read_or_refused(self, value: object) -> None:
        body = json.dumps(value)
        done = outcome(lambda: read(body, "CreateTrainingJob"))
        assert done in ("read", "SerializationException")


class TestForms:
    def read(self, body: bytes) -> Document:
        return parse(a_route("iam", "SimulatePrincipalPolicy"), POST, body)

    def test_lists_are_in_the_order_of_their_numbers(self) -> None:
        body = b"&".join(b"ActionNames.member.%d=a%d" % (n, n) for n in (10, 2, 1))
        assert self.read(b"Action=X&Version=Y&" + body) == {"ActionNames": ["a1", "a2", "a10"]}

    def test_structures_in_lists_are_read(self) -> None:
        body = (
            b"ContextEntries.member.1.ContextKeyName=a%3Ab&"
            b"ContextEntries.member.1.ContextKeyValues.member.1=%C3%BC+x&Nope.member.1.X=1"
        )
        assert self.read(body) == {
            "ContextEntries": [{"ContextKeyName": "a:b", "ContextKeyValues": ["ü x"]}]
        }

    @pytest.mark.parametrize(
        "body",
        [
            b"MaxItems=ten",
            b"MaxItems=9999999999",
            b"MaxItems=1.5",
            b"MaxItems.x=1",
            b"ActionNames.member.1.X=1",
            b".".join([b"a"] * 100_000) + b"=1",
            b"PolicySourceArn=%FF",
            b"\xff",
        ],
        ids=lambda body: str(body[:24]),
    )
    def test_a_wrong_form_is_refused(self, body: bytes) -> None:
        with pytest.raises(Fault) as caught:
            self.read(body)
        assert (caught.value.code, caught.value.status) == ("MalformedInput", 400)

    def test_numbers_that_are_none_are_not_items(self) -> None:
        assert self.read(b"ActionNames.member.x=1&ActionNames.member.99999999999=1") == {
            "ActionNames": []
        }


def s3(operation: str, body: bytes = b"", query: str = "", **headers: str) -> Document:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    path = (
        "/b/k"
        if "{Key" in str(service_model("s3").operation_model(operation).http["requestUri"])
        else "/b"
    )
    return parse(a_route("s3", operation), RequestHead("X", path, query, Headers(pairs)), body)


class TestXml:
    @pytest.mark.parametrize(
        "body",
        [
            b"<Delete>",
            b"not xml",
            b"<a/><b/>",
            b'<!DOCTYPE a [<!ENTITY x "y">]><Delete><Object><Key>&x;</Key></Object></Delete>',
            b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Delete/>',
            b"<Delete><Object><Key>&undefined;</Key></Object></Delete>",
            b"<a>" * 100_000,
            b"<Delete><Quiet>maybe</Quiet></Delete>",
            b"<Delete><Object><Key>\x01</Key></Object></Delete>",
            b'<?xml version="1.0" encoding="no-such"?><Delete/>',
            b"\xff\xff",
        ],
        ids=lambda body: str(body[:24]),
    )
    def test_a_body_that_is_not_the_xml_that_was_asked_for_is_refused(self, body: bytes) -> None:
        with pytest.raises(Fault) as caught:
            s3("DeleteObjects", body)
        assert (caught.value.code, caught.value.status) == ("MalformedXML", 400)
        assert caught.value.message.startswith("The XML you provided was not well-formed or did")

    def test_namespaces_prefixes_and_unknown_elements_do_not_matter(self) -> None:
        body = (
            b'<x:Delete xmlns:x="http://s3.amazonaws.com/doc/2006-03-01/"><x:Object>'
            b"<x:Key> a&amp;&#252;<![CDATA[<b>]]> </x:Key><Nope>1</Nope></x:Object>"
            b"<Quiet>true</Quiet></x:Delete>"
        )
        assert s3("DeleteObjects", body)["Delete"] == {
            "Objects": [{"Key": " a&ü<b> "}],
            "Quiet": True,
        }

    def test_an_empty_body_is_no_member(self) -> None:
        assert s3("CreateBucket") == {"Bucket": "b"}

    def test_a_long_text_in_many_pieces_is_read_in_time(self) -> None:
        key = b"a&amp;" * 200_000
        body = b"<Delete><Object><Key>" + key + b"</Key></Object></Delete>"
        assert s3("DeleteObjects", body)["Delete"]["Objects"][0]["Key"] == "a&" * 200_000

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=100))
    def test_any_bytes_are_read_or_refused(self, body: bytes) -> None:
        done = outcome(lambda: s3("DeleteObjects", b"<Delete>" + body + b"</Delete>"))
        assert done in ("read", "MalformedXML")


class TestBindings:
    def test_metadata_comes_from_prefixed_headers(self) -> None:
        found = s3("PutObject", x_amz_meta_one="1", X_Amz_Meta_Two="caf\xc3\xa9")
        assert found["Metadata"] == {"one": "1", "two": "café"}

    def test_text_in_a_string_payload_is_the_body(self) -> None:
        assert s3("PutBucketPolicy", '{"ü": 1}'.encode())["Policy"] == '{"ü": 1}'
        with pytest.raises(Fault) as caught:
            s3("PutBucketPolicy", b"\xff")
        assert caught.value.code == "MalformedXML"

    def test_lists_in_headers_are_taken_apart(self) -> None:
        found = s3("GetObjectAttributes", x_amz_object_attributes="ETag, Checksum")
        assert found["ObjectAttributes"] == ["ETag", "Checksum"]

    def test_a_stream_is_left_out(self) -> None:
        assert "Body" not in s3("PutObject", b"bytes")

    def test_an_expiry_date_is_kept_as_it_was_written(self) -> None:
        assert s3("PutObject", Expires="0")["Expires"] == "0"

    @pytest.mark.parametrize(
        ("operation", "query"),
        [
            ("ListObjectsV2", "list-type=2&max-keys=many"),
            ("ListObjectsV2", "list-type=2&max-keys=9999999999"),
            ("ListObjectsV2", "list-type=2&fetch-owner=perhaps"),
            ("UploadPart", "partNumber=&uploadId=1"),
            ("UploadPart", "partNumber=%D9%A1&uploadId=1"),
        ],
    )
    def test_a_wrong_parameter_is_an_invalid_argument(self, operation: str, query: str) -> None:
        with pytest.raises(Fault) as caught:
            s3(operation, query=query)
        assert (caught.value.code, caught.value.status) == ("InvalidArgument", 400)

    def test_a_path_that_is_not_utf_8_is_refused(self) -> None:
        head = RequestHead("GET", "/b/%FF", "", Headers())
        with pytest.raises(Fault) as caught:
            parse(a_route("s3", "GetObject"), head, b"")
        assert caught.value.code == "InvalidArgument"
        runtime = RequestHead("POST", "/endpoints/%FF/invocations", "", Headers())
        with pytest.raises(Fault) as caught:
            parse(a_route("sagemaker-runtime", "InvokeEndpoint"), runtime, b"")
        assert caught.value.code == "SerializationException"

    def test_a_wrong_date_in_a_header_is_an_invalid_argument(self) -> None:
        with pytest.raises(Fault) as caught:
            s3("GetObject", If_Modified_Since="yesterday")
        assert caught.value.code == "InvalidArgument"
        assert caught.value.fields == {"ArgumentName": "IfModifiedSince"}
