"""All runs: what they are doing and what they reached."""

from .output import show, table


def runs(options) -> int:
    """all runs, own and finished examples: state, best validation accuracy, test accuracy, time, settings"""
    from .. import checkpoints, run_marks
    from .. import runs as directories
    from ..analysis import run_table
    from ..training import settings

    found = []
    for path in (*directories.list_runs(), *(checkpoints.BUNDLED / name for name in sorted(checkpoints.bundled()))):
        config, marks = directories.read_config(path), run_marks.read(path)
        if config is None:
            continue
        result = run_table.result_of(directories.Metrics(path).refresh())
        found.append({
            "run": path.name, "directory": str(path), "name": marks.name, "note": marks.note, "star": marks.star,
            "state": directories.state(path), "epochs": result.epochs, "best_val_accuracy": result.best,
            "best_epoch": result.best_epoch, "test_accuracy": result.test, "seconds": result.seconds,
            "settings": settings.settings_of(config),
        })
    show(options, found, lambda: _text(found))
    return 0


def _text(found: list[dict]) -> str:
    if not found:
        return "No runs yet."
    return table(
        ["run", "state", "best validation", "test", "minutes", "network", "data"],
        [[("* " if one["star"] else "") + (one["name"] or one["run"]), one["state"], _percent(one["best_val_accuracy"]),
          _percent(one["test_accuracy"]), f"{(one['seconds'] or 0) / 60:,.1f}", str(one["settings"]["network"]),
          str(one["settings"]["data"])] for one in found],
        right={2, 3, 4},
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"
