"""Every error sentence in the program says what to do next. Read off the code, so that a new one cannot forget."""

import ast
import re
from pathlib import Path

import pytest

from .test_imports import SOURCES, text_of, where

VERBS = """add allow ask begin build change choose close compute connect continue correct copy create crop delete download draw drop
    enlarge export free give go import install keep leave let link look lower make mend move name open pack point press
    put read record rename repeat replace save say schedule see set shorten show sort start stop take train try type update
    upload use wait widen write""".split()
ADVICE = re.compile(  # a clause of its own that begins with what to do, e.g. "...; choose another file"
    rf"(?:^|\{{\}} (?=[A-Z])|[;:.,] (?:(?:or|and|then|else|so|instead|to \w+|where|here|for that|for this)[ ,]+)*|\b(?:or|and|then) )"
    rf"({'|'.join(VERBS)})\b", re.IGNORECASE)
WANTED = re.compile(  # says what is right beside what was given, e.g. "must be from 1 to 9, not 12"
    r"\b(must|needs?|between|at least|at most|such as|is|are|has|takes?)\b.*[,;] not |is needed|must (be|begin|end|lie)|known are ")


def errors() -> set[str]:
    """Problem and the classes that are made from it, by name."""
    bases = {node.name: {getattr(base, "id", None) for base in node.bases}
             for path in SOURCES for node in ast.walk(ast.parse(text_of(path))) if isinstance(node, ast.ClassDef)}
    found = {"Problem"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def in_words(node: ast.AST, texts: dict[str, str] = {}) -> str:  # noqa: B006, never written
    """The sentence as far as the code spells it out; {} stands for what is filled in. texts: what names stand for."""
    if isinstance(node, ast.Name):
        return texts.get(node.id, "{}")
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(in_words(part, texts) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return in_words(node.value, texts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return in_words(node.left, texts) + in_words(node.right, texts)
    if isinstance(node, ast.IfExp):
        return in_words(min(node.body, node.orelse, key=lambda part: advises(in_words(part, texts))), texts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "strip":
        return in_words(node.func.value, texts)
    return "{}"


def sentences(path: Path, kinds: set[str]) -> list[tuple[int, str]]:
    """(line, sentence) of each error of these kinds that a module makes."""
    tree = ast.parse(text_of(path))
    texts = {target.id: in_words(node.value) for node in ast.walk(tree) if isinstance(node, ast.Assign)
             for target in node.targets if isinstance(target, ast.Name) and " " in in_words(node.value)}
    found = []
    for node in ast.walk(tree):
        name = getattr(node.func, "id", getattr(node.func, "attr", None)) if isinstance(node, ast.Call) else None
        if name in kinds and node.args:
            found.append((node.lineno, max((in_words(one, texts) for one in node.args[:2]), key=len)))
    return found


def advises(sentence: str) -> bool:
    return bool(ADVICE.search(sentence) or WANTED.search(sentence))


@pytest.mark.parametrize(("sentence", "does"), [
    ("{} is empty (0 bytes); save or download it again.", True),
    ("The run {} is not there any more.", False),
    ("The batch must be between 1 and 10 pictures, not {}.", True),
    ("This run is finished; start a new one with more epochs.", True),
    ("There is no picture here yet: drop one above.", True),
    ("{} was not read: it holds {} twice.", False),
    ("Choose the pictures to learn from.", True),
    ("The folder {} cannot be read ({}).", False),
])
def test_the_rule_tells_advice_from_none(sentence, does):
    assert advises(sentence) is does


FILLED_IN = {  # what is filled in is a whole sentence, or a part of one, that is held elsewhere
    ("resnet_viz/checkpoints.py", "{} cannot be used: {}"): "the doctor's sentence, one of those here",
    ("resnet_viz/data/uploads.py", "{}"): "sentences of two functions of that module",
    ("resnet_viz/training/config.py", "{}"): "_TOGETHER of that module, below",
}
PARTS = "resnet_viz/training/run_contents.py"  # ends of the sentences that run_archive begins, and closes with advice


def test_every_error_says_what_to_do_next():
    kinds = errors()
    assert {"Problem", "NothingYet", "NotRecognised"} <= kinds
    made = [(where(path), line, sentence) for path in SOURCES for line, sentence in sentences(path, kinds) if where(path) != PARTS]
    assert len(made) > 280
    silent = [f"{file}:{line}: {sentence}" for file, line, sentence in made
              if not advises(sentence) and (file, sentence) not in FILLED_IN]
    assert silent == [], "\n" + "\n".join(silent)
    assert not set(FILLED_IN) - {(file, sentence) for file, _, sentence in made}, "not there any more"


def test_sentences_that_are_filled_in_advise_too():
    from resnet_viz.data import uploads
    from resnet_viz.training.config import _TOGETHER

    said = [sentence for _, sentence in _TOGETHER]
    said += [uploads._what_it_is_instead(data, "a") for data in (b"<svg>", b"....ftypheic", b"text")]
    assert [sentence for sentence in said if not advises(sentence)] == []
