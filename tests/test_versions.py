"""torch and torchvision: a wrong pair is named with its cure, a right one is let through."""

import builtins

import pytest

from resnet_viz import versions


@pytest.fixture
def installed(monkeypatch):
    """A function: installed({"torch": "2.15.0", ...}, requires=[...]) replaces the package metadata."""

    def replace(found: dict[str, str], requires: tuple[str, ...] = ("numpy", "torch>=2.14.0")):
        def version(name):
            if name not in found:
                raise versions.metadata.PackageNotFoundError(name)
            return found[name]

        monkeypatch.setattr(versions.metadata, "version", version)
        monkeypatch.setattr(versions.metadata, "requires", lambda name: list(requires))

    return replace


def test_this_environment_is_a_pair():
    assert versions.pair_problem() is None and versions.import_problem() is None


@pytest.mark.parametrize(
    "torch, vision, requires",
    [
        ("2.15.0", "0.29.2", "torch>=2.14.0"),
        ("2.11.0", "0.26.0", "torch==2.11.0"),
        ("2.11.0+cu128", "0.26.0+cu128", "torch==2.11.0"),
        ("2.15.0+cu132", "0.29.2", "torch>=2.14.0"),
    ],
)
def test_matching_pairs(installed, torch, vision, requires):
    installed({"torch": torch, "torchvision": vision}, (requires,))
    assert versions.pair_problem() is None


@pytest.mark.parametrize(
    "torch, vision, requires, words",
    [
        ("2.11.0", "0.29.2", "torch>=2.14.0", "needs torch >=2.14.0"),
        ("2.15.0", "0.26.0", "torch==2.11.0", "needs torch ==2.11.0"),
        ("2.15.0+cpu", "0.29.2+cu132", "torch>=2.14.0", "one is built for cpu, the other for cu132"),
    ],
)
def test_wrong_pairs_are_one_sentence_with_the_cure(installed, torch, vision, requires, words):
    installed({"torch": torch, "torchvision": vision}, (requires,))
    problem = versions.pair_problem()
    assert words in problem and torch in problem and vision in problem and "pip install -r requirements.txt" in problem
    assert "\n" not in problem and problem.endswith(".")


def test_a_missing_package_is_named(installed):
    installed({"torch": "2.15.0"})
    assert versions.pair_problem().startswith("torchvision is not installed")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("operator torchvision::nms does not exist"),
        ImportError("undefined symbol: _ZN3c10"),
        RuntimeError("Detected that PyTorch and torchvision were compiled with different CUDA major versions.\nMore"),
    ],
)
def test_an_import_that_fails_is_one_sentence(monkeypatch, error):
    real = builtins.__import__

    def fail(name, *rest):
        if name == "torchvision":
            raise error
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", fail)
    problem = versions.import_problem()
    assert str(error).splitlines()[0] in problem and "pip install" in problem and "\n" not in problem


def test_a_bug_of_another_kind_stays_visible(monkeypatch):
    real = builtins.__import__

    def fail(name, *rest):
        if name == "torchvision":
            raise RuntimeError("something else")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(RuntimeError, match="something else"):
        versions.import_problem()
