from hypothesis import given
from hypothesis import strategies as st

from sagelet.artifacts.keys import is_bucket_name, is_key, names_of, path_of, segment_of

ODD = st.text(st.sampled_from(["%", "~", ".", "/", "\0", "e", "c", "f", "0", "a", "ü", "😀"]))
KEYS = st.one_of(ODD, st.text(max_size=300), st.builds(str.__mul__, ODD, st.integers(1, 200)))


def test_an_ordinary_key_is_its_own_path() -> None:
    assert path_of("data/train 1/ü+&=%41~'(x).csv") == ("data", "train 1", "ü+&=%41~'(x).csv")


def test_what_a_file_system_cannot_hold_is_marked() -> None:
    assert path_of("a//b/") == ("a", "%~e", "b", "%~e")
    assert path_of("../.") == ("%~2", "%~1")
    assert path_of("n\0l") == ("n%~0l",)
    assert path_of("%~e") == ("%~~e",)


def test_a_long_name_goes_on_in_the_next_folder() -> None:
    first, second = path_of("x" * 256)
    assert first == "x" * 240 + "%~c"
    assert second == "x" * 16


def test_a_name_of_255_bytes_is_not_long() -> None:
    assert path_of("x" * 255) == ("x" * 255,)


def test_dots_that_begin_a_second_folder_are_marked_too() -> None:
    assert path_of("x" * 254 + "..") == ("x" * 240 + "%~c", "x" * 14 + "..")
    assert path_of("x" * 480 + "..") == ("x" * 240 + "%~c", "x" * 240 + "%~c", "%~2")


@given(KEYS.filter(lambda key: is_key(key)))
def test_every_segment_can_be_read_back(key: str) -> None:
    for segment in key.split("/"):
        assert segment_of(names_of(segment)) == segment


@given(KEYS.filter(lambda key: is_key(key)))
def test_no_name_leads_anywhere_else(key: str) -> None:
    for name in path_of(key):
        assert name not in ("", ".", "..", "%~f")
        assert "/" not in name
        assert "\0" not in name
        assert len(name.encode()) <= 255


@given(st.lists(KEYS.filter(lambda key: is_key(key)), min_size=2, max_size=2, unique=True))
def test_two_keys_never_share_a_path(keys: list[str]) -> None:
    assert path_of(keys[0]) != path_of(keys[1])


def test_a_name_that_we_would_not_write_is_no_key() -> None:
    assert segment_of(("%~x",)) is None
    assert segment_of(("a%~",)) is None
    assert segment_of(("short%~c", "rest")) is None
    assert segment_of(("a%~eb",)) is None


def test_a_key_has_1_to_1024_bytes() -> None:
    assert is_key("ü" * 512)
    assert not is_key("ü" * 513)
    assert not is_key("")
    assert not is_key("\ud800")


def test_bucket_names_follow_s3s_rules() -> None:
    for name in ("abc", "sagemaker-us-east-1-000000000000", "a.b.c", "1ab", "a" * 63):
        assert is_bucket_name(name)
    for name in (
        "ab",
        "A-b-c",
        "-abc",
        "abc-",
        "a..b",
        "a" * 64,
        "1.2.3.4",
        "..",
        ".meta",
        "a/b",
        "",
    ):
        assert not is_bucket_name(name)
    assert not is_bucket_name("abc\n")
