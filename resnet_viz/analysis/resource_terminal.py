"""The command `resources`: what training costs, as one document and as text for a terminal."""

from contextlib import closing

from ..networks import zoo
from . import resource_measurement as measurement
from . import resource_words, resources, saved_tensors
from .arithmetic import size
from .resource_measurement import Measured


def arguments(parser) -> None:
    """The options of the command."""
    parser.add_argument("network")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--input-size", type=int, help="pixels a side; the network's own if left out")
    parser.add_argument("--optimizer", choices=list(resources.OPTIMIZERS), default="momentum")
    parser.add_argument("--precision", choices=list(saved_tensors.PRECISIONS), default="fp32")
    parser.add_argument("--memory-gib", type=float, metavar="G", help="of a GPU to plan for; else this machine's")
    parser.add_argument("--measure", action="store_true", help="real steps here at batches of 1, 2, 4 ... --batch-size")


def document(options, tell) -> tuple[dict, int]:
    """(the JSON document, exit code); tell(text) hears how a measurement goes. Exit 1: a batch did not fit."""
    network = zoo.find(options.network)
    side = network.input_size if options.input_size is None else options.input_size
    here = resources.this_device()
    memory, kind, name = here.memory_bytes, here.kind, here.name
    if options.memory_gib is not None:
        memory, kind, name = resources.check_memory(options.memory_gib), "cuda", f"a GPU with {options.memory_gib:g} GB"
    found = resources.demand(network.name, {}, side, options.precision, kind)
    parts = resources.parts(found, options.batch_size, options.optimizer)
    written = {
        "network": network.name, "input_shape": list(found.input_shape), "batch_size": options.batch_size,
        "optimizer": options.optimizer, "precision": options.precision,
        "device": {"kind": kind, "name": name, "memory_bytes": memory},
        "parts": parts, "total_bytes": sum(parts.values()), "stored_bytes": found.stored(options.batch_size),
        "bytes_per_picture": resources.per_picture(found), "fits": sum(parts.values()) <= memory,
        "largest_batch": resources.largest_batch(found, options.optimizer, memory),
        "summary": resource_words.describe(found, options.batch_size, options.optimizer, memory, name),
        "measured": None, "did_not_fit": None,
    }
    if options.measure:
        mine = found if kind == here.kind else resources.demand(network.name, {}, side, options.precision, here.kind)
        written |= _measure(mine, options, min(memory, here.memory_bytes), tell)
    return written, 0 if written["did_not_fit"] is None else 1


def _measure(found: resources.Demand, options, limit: int, tell) -> dict:
    batches = measurement.batches_up_to(found, options.batch_size)
    asked = measurement.request(found, {}, options.optimizer, batches, limit if options.memory_gib else None)
    rows, full = [], None
    with closing(measurement.events(asked)) as events:
        for event in events:
            if event["event"] == "step" and event["step"] == 0:
                tell(f"measuring a batch of {event['batch']:,}")
            elif event["event"] == "batch":
                rows.append(_row(measurement.measured(found, options.optimizer, event)))
            elif event["event"] == "full":
                full = {"batch": event["batch"], "why": event["why"]}
    return {"measured": rows, "did_not_fit": full}


def _row(one: Measured) -> dict:
    return {"batch_size": one.batch, "counted": one.counted, "counted_error": round(one.counted_error, 6),
            "peak_bytes": one.peak_bytes, "peak_error": round(one.peak_error, 4),
            "reserved_bytes": one.reserved_bytes, "outside_bytes": one.outside_bytes,
            "seconds_per_step": list(one.seconds), "images_per_s": round(one.images_per_s, 2)}


def text(written: dict, table) -> str:
    """The document for a person; table(head, rows, right) lines up columns."""
    total = written["total_bytes"]
    rows = [[resources.PARTS[part], size(bytes_), f"{bytes_ / total:.1%}"]
            for part, bytes_ in written["parts"].items() if bytes_]
    lines = [table(["part", "memory", "share"], rows, {1, 2}), "", written["summary"],
             f"Each further picture takes {size(written['bytes_per_picture'])}; the largest batch that fits: "
             f"{written['largest_batch']:,}."]
    if written["measured"]:
        rows = [[f"{row['batch_size']:,}", size(sum(row["counted"].values())), f"{row['counted_error']:+.1%}",
                 size(row["peak_bytes"]), f"{row['peak_error']:+.1%}", f"{min(row['seconds_per_step']):.3f}",
                 f"{row['images_per_s']:,.1f}"] for row in written["measured"]]
        lines += ["", table(["batch", "counted", "estimate off", "peak", "estimate off", "s/step", "pictures/s"], rows,
                            set(range(7)))]
    if written["did_not_fit"]:
        lines += ["", f"It did not fit at batch {written['did_not_fit']['batch']:,}: {written['did_not_fit']['why']}."]
    return "\n".join(lines)
