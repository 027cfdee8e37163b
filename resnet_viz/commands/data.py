"""Data sets on the way to what this project reads."""

from pathlib import Path

from .output import Parser, json_flag, progress, show

NAMED = 5  # pictures in a sentence


def sort_val_arguments(parser: Parser) -> None:
    parser.add_argument("folder", metavar="ARCHIVE_FOLDER", help="what the ImageNet archive was unpacked into")
    parser.add_argument("--table", metavar="CSV", help="picture and class in each line (ARCHIVE_FOLDER/LOC_val_solution.csv)")
    parser.add_argument("--link", metavar="FOLDER", help="leave the archive as it is, and make FOLDER to train from, of links")
    json_flag(parser)


def sort_val(options) -> int:
    """sort ImageNet's val/ into one folder a class by LOC_val_solution.csv; exit 1 where pictures are missing"""
    from ..data import class_folders

    folder = Path(options.folder)
    place = class_folders.find(folder)
    classes = class_folders.read_table(Path(options.table) if options.table else folder / class_folders.TABLE)
    if options.link:
        found = class_folders.link(place, classes, Path(options.link), progress)
    else:
        found = class_folders.sort(place, classes, progress)
    document = {"folder": str(found.folder), "linked": bool(options.link), "classes": found.classes,
                "pictures": found.pictures, "done": found.done, "already": found.already, "missing": list(found.missing),
                "elsewhere": list(found.elsewhere), "twice": list(found.twice), "unlisted": found.unlisted}
    show(options, document, lambda: "\n".join(_sentences(found, "linked" if options.link else "moved")))
    return 0 if found.complete else 1


def _sentences(found, verb: str) -> list[str]:
    lines = [f"{found.folder}: {found.pictures:,} pictures in {found.classes:,} classes; {found.done:,} {verb} now, "
             f"{found.already:,} were there before."]
    for names, said in ((found.missing, "missing: take them from the archive again"),
                        (found.elsewhere, "in the folder of another class, and left there"),
                        (found.twice, "both in val/ and in their class folder, and left alone")):
        if names:
            more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
            lines.append(f"{len(names):,} {said}: {', '.join(names[:NAMED])}{more}.")
    if found.unlisted:
        lines.append(f"{found.unlisted:,} pictures are not in the table, and were left alone.")
    return lines
