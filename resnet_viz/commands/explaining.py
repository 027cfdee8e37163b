"""What a network looked at in a picture, written as a picture."""

from pathlib import Path

from ..problems import Problem
from .output import Parser, progress


def explain_arguments(parser: Parser) -> None:
    parser.add_argument("checkpoint")
    parser.add_argument("image")
    parser.add_argument("--method", required=True, metavar="NAME",
                        help="saliency, gradcam, occlusion ...; a wrong name lists all")
    parser.add_argument("--layer", metavar="L", help="for Grad-CAM and its kin; the last with a map by default")
    parser.add_argument("--target", metavar="LABEL|INDEX", help="the class to explain; the likeliest by default")
    parser.add_argument("--out", required=True, metavar="PNG")


def explain(options) -> int:
    """which pixels of a picture spoke for a class: what the network saw, the map over it, the map"""
    from .. import checkpoints
    from ..analysis import attribution_request
    from ..analysis.attributions import METHODS
    from ..data import uploads
    from ..problems import one_of

    one_of("method", options.method, METHODS)
    out = _writable(Path(options.out))
    checkpoint = checkpoints.read(checkpoints.find(options.checkpoint, progress))
    image = uploads.read(Path(options.image)).image
    found = attribution_request.explain(checkpoint, image, options.method, options.layer, options.target, progress)
    _write(found, out)
    where = f" at {found.layer}" if found.layer else ""
    colours = "red speaks for it, blue against it" if METHODS[found.method].signed else "the redder, the more it counts"
    print(f"{out} written: {METHODS[found.method].title}{where} for {found.target} ({found.probability:.1%}); "
          f"{colours}")
    return 0


def _writable(path: Path) -> Path:
    if path.suffix.lower() != ".png":
        raise Problem(f"{path} must end in .png: that is what is written.")
    if path.is_dir():
        raise Problem(f"{path} is a directory; give the name of a file, e.g. {path / 'map.png'}.")
    return path


def _write(found, path: Path) -> None:
    import io

    from PIL import Image

    from .. import runs
    from ..drawing.attributions import plate

    data = io.BytesIO()
    Image.fromarray(plate(found.seen, found.heat)).save(data, "PNG")
    try:
        runs.write_atomic(path, data.getvalue())
    except OSError as error:
        raise Problem(f"{path} cannot be written ({error.strerror or error}); choose another place.") from error
