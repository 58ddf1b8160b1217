"""The faults that one machine can be put through, and which tests put it through them.

The rows and their figures are those of the reliability anchors, C3. A test stands here by its file
and name; where it is one of a property, its examples are the runs.
"""

from typing import NamedTuple

FAULTS = "tests/faults/test_"
UNIT = "tests/unit/"
SERVICE = "tests/unit/service/test_"
WIRE = "tests/provider/test_ollama"
PULL = "tests/provider/local/test_pull.py::test_"
SCREEN = "tests/ui/test_"
PROPERTIES = "tests/properties/test_"


class Row(NamedTuple):
    """One kind of fault."""

    number: int
    fault: str
    bar: str
    tests: tuple[str, ...] = ()
    elsewhere: str = ""
    """The command that tests it, where that is not `make faults`."""


ROWS = (
    Row(1, "Stream cut or reset at any byte, one to five times",
        "all complete, none doubled, no percentage falls",
        (f"{FAULTS}cut_pulls.py", f"{FAULTS}wire_faults.py::test_streams_cut",
         f"{FAULTS}registry_faults.py::test_a_real_registry",
         f"{FAULTS}registry_faults.py::test_a_real_web_server",
         f"{SERVICE}retry.py::test_a_pull_cut_several_times")),
    Row(2, "Server killed and restarted during downloads",
        "offline seen within 2 s, online within 5 s of its return",
        (f"{FAULTS}server_kill.py", f"{SERVICE}offline.py::test_a_stopped_server")),
    Row(3, "Reset, half-close, garbage, silence, a byte now and then",
        "the right error within the limit",
        (f"{FAULTS}wire_faults.py::test_no_broken_connection", f"{WIRE}_faults.py",
         f"{PULL}a_fault_that_")),
    Row(4, "A stall of 35 s, with frames or without",
        "told every 2 s, as a stall without speed",
        (f"{FAULTS}many_callers.py::test_a_stall",
         f"{SERVICE}queue.py::test_without_any_step", f"{SERVICE}retry.py::test_half_a_minute",
         f"{SERVICE}retry.py::test_a_dead_mirror", f"{SERVICE}progress.py")),
    Row(5, "500 and 408 at random, to half or nearly all requests",
        "clean failure without retries, done in the end",
        (f"{FAULTS}wire_faults.py::test_a_server_that_fails",
         f"{FAULTS}registry_faults.py::test_a_registry_that_fails")),
    Row(6, "429 and 503 with Retry-After: 0, 3, a date, far too much, less than nothing, junk",
        "waits as asked, 120 s at most",
        (f"{UNIT}test_ollama_answer.py::test_a_server_may_say",
         f"{SERVICE}retry.py::test_a_wait_that_was_asked_for",
         f"{SERVICE}retry.py::test_a_busy_server",
         f"{UNIT}local/test_attempt.py::test_who_asks_to_be_left_alone")),
    Row(7, "NDJSON cut at every byte, junk, two objects a line, CR LF, BOM, NUL",
        "the same events, or a truncated error",
        (f"{UNIT}test_ndjson.py", f"{WIRE}_pull.py::test_every_cut")),
    Row(8, "A line without end",
        "refused at 1 MiB, under 20 MiB of memory",
        (f"{FAULTS}wire_faults.py::test_a_line_without_end",
         f"{UNIT}test_ndjson.py::test_a_line_without_end",
         f"{WIRE}_pull.py::test_a_line_without_end")),
    Row(9, "Wrong JSON types in every answer",
        "no crash, the other models shown",
        (f"{UNIT}test_ollama_wire.py", f"{UNIT}test_ollama_pull.py::test_no_line_breaks_it",
         f"{SCREEN}broken_servers.py::test_no_wrong_shape")),
    Row(10, "Lengths that lie, chunks that lie, compression, bodies without end",
        "64 MiB at most, an error in time",
        (f"{WIRE}_faults.py::test_an_answer_that",
         f"{WIRE}_faults.py::test_an_endless",
         f"{FAULTS}local_evil.py::test_an_answer_without_end")),
    Row(11, "An error in the stream at each phase, and an end without success",
        "an error, and the list asked anew",
        (f"{WIRE}_pull.py::test_an_error_inside", f"{WIRE}_pull.py::test_a_stream_that_ends",
         f"{SERVICE}service.py::test_a_pull_that_fails_late")),
    Row(12, "A bit flipped in a file, once or always",
        "one more try, then an error, never a wrong file",
        (f"{FAULTS}registry_faults.py::test_a_flipped_bit",)),
    Row(13, "The program killed at a random moment",
        "queue of before or after, start within 2 s, at most 1 MiB fetched again",
        (f"{FAULTS}queue_kill.py", f"{FAULTS}local_kill.py", f"{FAULTS}queue_owner.py",
         f"{SERVICE}state.py::test_a_killed_process")),
    Row(14, "Each I/O call on each file of ours fails: once, or from then on",
        "old or new, told, no litter",
        (f"{FAULTS}io_calls.py",)),
    Row(15, "A disk of 64 MB filled to the last bytes",
        "no file cut, mended when there is room",
        (f"{FAULTS}local_disk_full.py", f"{FAULTS}places.py::test_on_a_full_disk")),
    Row(16, "State or home read-only, missing, no folder",
        "runs in memory with one warning",
        (f"{FAULTS}places.py::test_where_nothing_can_be_kept",
         f"{SERVICE}state.py::test_a_place_that_cannot_be_written")),
    Row(17, "The wall clock jumps by hours and years; a whole process under faketime",
        "nothing changes; a minute is a minute",
        (f"{FAULTS}clocks.py",)),
    Row(18, "Bytes flipped, cut, inserted, zeroed, swapped in state and configuration",
        "no crash, start within 1 s, a bad file kept aside",
        (f"{FAULTS}corruption.py", f"{FAULTS}config_faults.py",
         f"{SERVICE}state.py::test_a_corrupt_file", f"{UNIT}local/test_gguf.py",
         f"{UNIT}local/test_manifest.py")),
    Row(19, "Hostile names: escapes, markup, bidi, newlines, paths, shell words",
        "no byte that acts comes out",
        (f"{FAULTS}hostile_names.py", f"{FAULTS}hostile_strings.py",
         f"{SCREEN}terminal.py::test_no_byte",
         f"{FAULTS}local_evil.py::test_what_a_stranger_wrote", f"{UNIT}test_text.py")),
    Row(20, "Paths that lead elsewhere: digests, names",
        "nothing outside the store",
        (f"{FAULTS}local_evil.py::test_evil", f"{FAULTS}local_evil.py::test_no_name",
         f"{UNIT}local/test_removal.py::test_nothing_is_removed_through_a_link")),
    Row(21, "Redirects elsewhere, in circles, to plain http, with credentials",
        "no credential leaves, an end to it",
        (f"{FAULTS}local_evil.py::test_no_credential", f"{PULL}redirects",
         f"{PULL}going_round", f"{PULL}a_realm", f"{PULL}a_public_registry",
         f"{WIRE}_faults.py::test_a_redirect")),
    Row(22, "10,000 models", "under 200 MiB; its speed is measured by `make bench`",
        (f"{FAULTS}screen_faults.py::test_ten_thousand",)),
    Row(23, "A server of a byte a moment", "every key is seen at once",
        (f"{FAULTS}screen_faults.py::test_a_server_of_a_byte",
         f"{SCREEN}broken_servers.py::test_a_hanging_server")),
    Row(24, "Two and eight processes on one state folder",
        "one download of a model at a time, nobody waits for ever",
        (f"{FAULTS}instances.py", f"{FAULTS}queue_owner.py", f"{SERVICE}sharing.py")),
    Row(25, "1,000 callers of whom half leave", "one request",
        (f"{FAULTS}many_callers.py::test_a_thousand", f"{SERVICE}with_ollama.py::test_a_thousand")),
    Row(26, "Cancelled at every await", "one end, no task and no socket left",
        (f"{SERVICE}queue.py::test_cancelled_at_any_await",
         f"{SERVICE}preflight.py::test_cancelled_at_any_await",
         f"{WIRE}_pull.py::test_cancelling")),
    Row(27, "Half an hour of downloads, cancels, refreshes and reconnects",
        "memory under 5 % more, descriptors and threads constant", elsewhere="make soak"),
    Row(28, "Storms of sizes, stop and go on, signals, terminal or input gone",
        "the terminal as it was",
        (f"{FAULTS}screen_faults.py::test_stopped", f"{SCREEN}terminal.py",
         f"{SCREEN}mouse.py::test_a_storm")),
    Row(29, "Each trap of YAML; 1,000 mixes of layers", "as the oracle says, each with its origin",
        (f"{UNIT}config/test_rulings.py", f"{PROPERTIES}config_properties.py")),
    Row(30, "The router on random models, profiles and fallback graphs; its advice on each",
        "no property broken, advice as brute force finds it",
        (f"{PROPERTIES}routing_properties.py", f"{PROPERTIES}advice_properties.py")),
    Row(31, "Each small mistake in router, cache, progress, queue and configuration",
        "85 % noticed", elsewhere="make mutation"),
    Row(32, "Servers that say less than today's", "work, with what is assumed",
        (f"{FAULTS}old_servers.py", f"{SCREEN}broken_servers.py::test_an_old_server",
         f"{SCREEN}broken_servers.py::test_a_server_without")),
)  # fmt: skip
