from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from target_duckdb.errors import LoadError
from target_duckdb.target import TargetDuckDB
from target_duckdb.warehouse import Warehouse, error_message

from .singer import INTEGER, MOMENT, TEXT, command, complaints, load, query, record, run, schema, state, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import NoReturn

pytestmark = pytest.mark.long

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.readline()"


def wait_for_a_batch(process: subprocess.Popen[bytes], file: Path) -> None:
    """Return once the log of the file holds rows, or the process has ended."""
    log = file.with_name(f"{file.name}.wal")
    for _ in range(1200):
        if log.exists() and log.stat().st_size > 1000:
            return
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
    pytest.fail("no batch was written")


def test_a_run_says_once_what_it_loaded_and_passes_the_state_on(tmp_path: Path) -> None:
    value = {"b": 1.5, "a": [12345678901234567890123, None, "é"], "c": {}}
    rows = (record("t", id=i) for i in range(1000))
    done = run(tmp_path, [schema("t", {"id": INTEGER}), *rows, state(value)], batch_size_rows=100)
    assert (done.returncode, json.loads(done.stdout)) == (0, value)
    assert [line.rsplit(" | ", 1)[1] for line in done.stderr.splitlines() if "`t`" in line] == [
        "stream `t`: 1000 rows loaded."
    ]
    assert len(done.stderr.splitlines()) < 6


def test_about_and_help_and_version_work_without_settings() -> None:
    argv = [sys.executable, "-m", "target_duckdb"]
    about = subprocess.run([*argv, "--about", "--format=json"], capture_output=True, text=True, check=True)
    settings = json.loads(about.stdout)["settings"]["properties"]
    assert {"filepath", "default_target_schema", "hard_delete", "add_record_metadata"} <= set(settings)
    assert "load_method" not in settings
    assert all(setting.get("title") and setting.get("description") for setting in settings.values())
    shown = subprocess.run([*argv, "--about"], capture_output=True, text=True, check=True).stdout
    assert "| lock_timeout | False | 60 | Seconds to wait for another process to release the file. |" in shown
    for option in ("--help", "--version"):
        subprocess.run([*argv, option], capture_output=True, check=True)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"colour": "red"}, "Setting `colour` is unknown."),
        ({"batch_size_rows": "many"}, "Setting `batch_size_rows` must be of type integer."),
        ({"filepath": None}, "filepath"),
        ({"max_line_bytes": 10**30}, "Setting `max_line_bytes` is out of range (maximum"),
        ({"lock_timeout": 1e308}, "Setting `lock_timeout` is out of range (maximum"),
        ({"lock_timeout": "9" * 400}, "Setting `lock_timeout` is not valid (pattern)."),
        ({"lock_timeout": float("nan")}, "The config file is not a JSON object."),
        ({"flattening_enabled": True}, "The settings that begin with `flattening_` cannot be used"),
    ],
)
def test_a_wrong_setting_ends_the_run_before_anything_is_read(
    tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    done = run(tmp_path, ["this is not read"], **settings)
    assert told in complaints(done)[0]
    assert done.stdout == ""
    assert not (tmp_path / "a.duckdb").exists()


def test_the_path_may_be_called_path_and_the_known_loaders_settings_are_taken(tmp_path: Path) -> None:
    known = {"path": str(tmp_path / "b.duckdb"), "flush_all_streams": False, "delimiter": ",", "quotechar": '"'}
    done = run(tmp_path, [schema("t", {"id": INTEGER})], filepath=None, primary_key_required=True, **known)
    assert done.returncode == 0
    assert query(tmp_path / "b.duckdb", "SELECT * FROM t") == []


@pytest.mark.parametrize(
    ("lines", "settings", "told"),
    [
        ([record("t", id=4711)], {}, "came before its SCHEMA message"),
        (
            [schema("t", {"id": INTEGER}), record("t", name=4711)],
            {},
            "stream `t`, column `id`: a key property has no value",
        ),
        (
            [schema("t", {"id": {}}), record("t", id=None, x=4711)],
            {},
            "`t`, column `id`: a key property has no value",
        ),
        ([schema("t", {"id": INTEGER}), record("t", id="4711")], {}, "column `id`: a value is not an integer."),
        ([schema("t", {"id": INTEGER}), record("t", id="4711")], {"validate_records": True}, "`id` breaks the rule"),
        ([schema("t", {"d": MOMENT}, ()), record("t", d="4711")], {}, "`d`: a value is not a date-time."),
        ([schema("t", {"d": MOMENT}, ()), record("t", d="4711")], {"add_record_metadata": True}, "`d`: a value is not"),
        ([schema("t", {"id": INTEGER}, ("x",))], {}, "the schema lacks the key property `x`."),
        ([schema("t", {}, ()), record("t", id=4711)], {}, "the schema has no properties"),
        ([schema("t", {"_sdc_sequence": INTEGER}, ()), record("t")], {}, "the schema has no properties"),
        (['{"type":"RECORD","stream":"t","record":{"id":4711'], {}, "Line 1 of the input is not JSON in UTF-8."),
        (["4711"], {}, "Line 1 of the input is not a Singer message."),
        (['{"type":"RECORD","record":{"id":4711}}'], {}, "A RECORD message lacks stream."),
    ],
)
def test_what_is_wrong_with_the_input_is_said_without_its_content(
    tmp_path: Path, lines: list[Any], settings: dict[str, Any], told: str
) -> None:
    done = run(tmp_path, [*lines, state()], **settings)
    if settings.get("validate_records"):
        assert told in done.stderr
    else:
        [complaint] = complaints(done)
        assert told in complaint
    assert done.returncode == 1
    assert "4711" not in done.stderr + done.stdout
    assert done.stdout == ""


def test_a_write_that_fails_lets_no_state_out_and_keeps_the_batches_before_it(tmp_path: Path, file: Path) -> None:
    messages = [schema("t", {"id": INTEGER, "d": MOMENT}), *(record("t", id=i) for i in range(10)), state()]
    messages += [record("t", id=10), record("t", id=11, d="never"), state({"x": 1})]
    done = run(tmp_path, messages, batch_size_rows=4)
    assert "`d`: a value is not a date-time." in complaints(done)[0]
    assert done.stdout == ""
    assert query(file, "SELECT id FROM t ORDER BY id") == [(i,) for i in range(8)]


def test_a_killed_run_leaves_whole_batches_and_a_second_run_completes_them(tmp_path: Path) -> None:
    file = tmp_path / "a.duckdb"
    argv = command(tmp_path / "config.json", file, batch_size_rows=50)
    messages = [schema("t", {"id": INTEGER, "name": TEXT}), *(record("t", id=i, name=f"n{i}") for i in range(1020))]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        process.stdin.write(text_of(messages).encode())
        process.stdin.flush()
        wait_for_a_batch(process, file)
        process.send_signal(signal.SIGKILL)
        assert process.communicate()[0] == b""
    kept = query(file, "SELECT count(*), max(id) + 1 FROM t")[0]
    assert kept[0] == kept[1] != 0
    assert kept[0] % 50 == 0
    assert run(tmp_path, [*messages, state()]).returncode == 0
    assert query(file, "SELECT id, name FROM t ORDER BY id") == [(i, f"n{i}") for i in range(1020)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_stop_leaves_whole_batches_and_ends_with_the_signal_s_exit_code(
    tmp_path: Path, number: signal.Signals
) -> None:
    file = tmp_path / "a.duckdb"
    argv = command(tmp_path / "config.json", file, batch_size_rows=20)
    messages = [schema("t", {"id": INTEGER}), *(record("t", id=i) for i in range(403)), state()]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(text_of(messages).encode())
        process.stdin.flush()
        wait_for_a_batch(process, file)
        process.send_signal(number)
        out, log = process.communicate(timeout=10)
    assert (process.returncode, out) == (128 + number, b"")
    assert b"Traceback" not in log
    assert len(query(file, "SELECT * FROM t")) in range(20, 401, 20)


def test_a_signal_during_a_query_ends_the_load_as_the_signal_does(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = TargetDuckDB(config={"filepath": str(file)})
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(signal, "setitimer", lambda *_: None)

    def interrupted(_rows: object) -> NoReturn:
        with suppress(SystemExit):
            target._handle_termination(signal.SIGTERM, None)
        raise RuntimeError("Query interrupted")  # as DuckDB does

    monkeypatch.setattr(target, "listen", interrupted)
    with pytest.raises(SystemExit) as ended:
        target.load()
    assert ended.value.code == 143


def test_an_input_that_is_cut_off_is_named_and_what_came_before_is_loaded_with_its_state(tmp_path: Path) -> None:
    messages = [schema("t", {"id": INTEGER}), record("t", id=1), state(), record("t", id=2)]
    argv = command(tmp_path / "config.json", tmp_path / "a.duckdb")
    text = text_of([*messages, record("t", id=3)])[:-9]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    (complaint,) = complaints(done)
    assert complaint.startswith("The input ends in the middle of line 5")
    assert json.loads(done.stdout) == {"done": True}
    assert query(tmp_path / "a.duckdb", "SELECT id FROM t ORDER BY id") == [(1,), (2,)]


def test_after_ten_seconds_a_state_is_written_when_it_comes(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = TargetDuckDB(config={"filepath": str(file)})
    kept: list[int] = []

    def lines() -> Iterator[str]:
        yield text_of([schema("t", {"id": INTEGER})])
        for number, seconds in enumerate([0, 9, 2, 1]):
            monkeypatch.setattr(target, "_last_full_drain_at", target._last_full_drain_at - seconds)
            yield text_of([record("t", id=number)])
            yield text_of([state({"read": number})])
            kept.append(target.warehouse.connection.execute("SELECT count(*) FROM t").fetchall()[0][0])

    target.process_lines(lines())  # type: ignore[arg-type]  # lines are enough
    assert kept == [0, 0, 3, 3]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [{"read": 2}]


def test_a_signal_during_a_write_lets_no_state_out(file: Path) -> None:
    warehouse = Warehouse(file, "main", 0)
    with warehouse.transaction(), pytest.raises(LoadError, match="Interrupted"), warehouse.transaction():
        pytest.fail("a second transaction has begun")
    warehouse.close()


def test_a_file_that_another_process_holds_is_waited_for_and_then_named(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    argv = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        def sleep(seconds: float) -> None:
            now[0] += seconds

        warehouse = Warehouse(file, "main", 3, clock=lambda: now[0], sleep=sleep)
        told = rf"{file} is still held by another process \(PID {holder.pid}\) after 3 seconds\. Its program is python"
        with caplog.at_level("INFO"), pytest.raises(LoadError, match=told):
            _ = warehouse.connection
        assert sum("waiting" in entry.getMessage() for entry in caplog.records) == 1

        def release(seconds: float) -> None:
            now[0] += seconds
            holder.communicate("\n")

        late = Warehouse(file, "main", 3, clock=lambda: now[0], sleep=release)
        assert late.connection.execute("SELECT 1").fetchall() == [(1,)]
        late.close()


def test_the_program_that_holds_the_file_is_named_without_the_rest_of_its_command_line(
    tmp_path: Path, file: Path
) -> None:
    script = tmp_path / "notebook"
    script.write_text(HOLD)
    argv = [sys.executable, str(script), str(file), "--token=4711"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        done = run(tmp_path, [schema("t", {"id": INTEGER})], lock_timeout=0)
        holder.communicate("\n")
    assert f"(PID {holder.pid}) after 0 seconds. Its program is notebook. Close" in complaints(done)[0]
    assert "4711" not in done.stderr


@pytest.mark.parametrize(
    "path",
    [
        *(":memory:", ":memory:x", "md:", "md:my_db?motherduck_token=4711", "motherduck:x", "ducklake:x.db"),
        *("postgres:host=x", "s3://b/x.duckdb", "gs://b/x", "http://x/y.duckdb", "https://x/y", "file:///x.duckdb"),
        *("a\0b", " ", "", ".", "{}", "/dev/zero"),
    ],
)
def test_a_path_that_names_no_file_of_this_machine_is_refused_before_anything_is_written(
    tmp_path: Path, path: str
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    argv = command(tmp_path / "config.json", tmp_path, filepath=path.format(folder))
    messages = text_of([state({"before": 1}), schema("t", {"id": INTEGER}), record("t", id=1), state()])
    done = subprocess.run(argv, input=messages, capture_output=True, text=True, check=False, cwd=folder)
    assert "filepath" in complaints(done)[0]
    assert "4711" not in done.stderr
    assert done.stdout == ""
    assert list(folder.iterdir()) == []


def test_a_pipe_in_the_place_of_the_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.duckdb")
    done = run(tmp_path, [schema("t", {"id": INTEGER}), state()])
    assert complaints(done)[0].endswith("a.duckdb is no file, but something else. Set filepath to a file.")


def test_what_was_typed_acts_on_no_terminal(tmp_path: Path) -> None:
    argv = [*command(tmp_path / "config.json", tmp_path / "a.duckdb"), "--input", "a\x1b[2J\nb"]
    here, there = os.openpty()
    subprocess.run(argv, stderr=there, check=False)
    os.close(there)
    shown = os.read(here, 10_000).decode()
    assert "a\\x1b[2J\\nb" in shown
    assert all(line.isprintable() for line in shown.split("\r\n"))


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("CREATE VIEW t AS SELECT 1 AS id", "stream `t`: main.t is a view, so that there can be no table"),
        ('CREATE VIEW "T" AS SELECT 1 AS id', "stream `t`: main.T is a view"),
        ("CREATE TABLE t (id BIGINT, v BIGINT); CREATE INDEX i ON t (v)", "column `v`: it has to become VARCHAR, but "),
        ("CREATE TABLE t (id BIGINT, v BIGINT); CREATE INDEX i ON t (v)", "stream `t`, column `v`: "),
        (
            "CREATE TABLE t (id BIGINT, v BIGINT); CREATE INDEX i ON t (id)",
            "the index `i` of the table main.t prevents that",
        ),
        (
            "CREATE TABLE t (id BIGINT, v BIGINT UNIQUE)",
            "stream `t`, column `v`: it has to become VARCHAR, but the ",
        ),
        (
            "CREATE TABLE t (id BIGINT, v VARCHAR CHECK (v <> 'it''s 4711'))",
            "stream `t`: a record violates a constraint",
        ),
    ],
)
def test_what_stands_in_the_way_of_a_table_is_named(tmp_path: Path, file: Path, made: str, told: str) -> None:
    query(file, made)
    done = run(tmp_path, [schema("t", {"id": INTEGER, "v": TEXT}), record("t", id=1, v="it's 4711"), state()])
    (complaint,) = complaints(done)
    assert told in complaint
    assert "4711" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("text", ["'it's 4711' to INT32", '"4711', "a number, 4711", "'a\n4711'", "'4711'", "4711"])
@pytest.mark.parametrize("kind", [duckdb.ConversionException, duckdb.TransactionException, duckdb.BinderException])
def test_nothing_of_the_text_of_an_error_of_duckdb_is_told(file: Path, text: str, kind: type[duckdb.Error]) -> None:
    assert "4711" not in error_message(kind(f"Some Error: Could not convert string {text}"), file)


@pytest.mark.parametrize("content", [b"hello " * 4000, b""])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.duckdb").write_bytes(content)
    (complaint,) = complaints(run(tmp_path, [schema("t", {"id": INTEGER})]))
    assert "is not a DuckDB database" in complaint
    assert str(tmp_path / "a.duckdb") in complaint
    assert (tmp_path / "a.duckdb").read_bytes() == content


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.duckdb"
    load(file, [schema("t", {"id": INTEGER})])
    raw = bytearray(file.read_bytes())
    raw[4200] ^= 255
    raw[8300] ^= 255
    file.write_bytes(raw)
    assert "is damaged" in complaints(run(tmp_path, [schema("t", {"id": INTEGER})]))[-1]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    (complaint,) = complaints(run(tmp_path, [schema("t", {"id": INTEGER})], filepath=str(tmp_path / "a" / "b.duckdb")))
    assert str(tmp_path / "a" / "b.duckdb") in complaint


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_full_disk_is_named_and_nothing_of_the_batch_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.duckdb"
    load(file, [schema("t", {"id": INTEGER, "name": TEXT}), record("t", id=-1)])
    argv = command(tmp_path / "config.json", file)
    rows = text_of(
        [schema("t", {"id": INTEGER, "name": TEXT}), *(record("t", id=i, name="x" * 999) for i in range(3000))]
    )
    limited = ["sh", "-c", 'ulimit -f 1024; exec "$@"', "sh", *argv]
    done = subprocess.run(limited, input=rows, capture_output=True, text=True, check=False)
    assert "reached the maximum file size" in complaints(done)[-1]
    assert query(file, "SELECT id FROM t") == [(-1,)]
