"""Pictures one after the other as one file: an animated GIF, or an MP4 video that slide programs play (H.264)."""

import io
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np

from ..problems import Problem

LAST_S = 2.0  # seconds that a film rests on its last picture


def gif(pictures: Iterable[np.ndarray], per_second: int) -> bytes:
    """Pictures uint8 [H, W, 3] of equal size as an endless GIF; each gets 255 colours of its own."""
    from PIL import Image

    images = [
        Image.fromarray(picture).quantize(255, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        for picture in pictures
    ]
    # whole hundredths of a second, as the format has them, and all browsers keep 20 ms and more
    each = max(2, round(100 / per_second)) * 10
    file = io.BytesIO()
    times = [each] * (len(images) - 1) + [round(1000 * LAST_S)]
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0, optimize=False)
    return file.getvalue()


def mp4(pictures: Iterable[np.ndarray], per_second: int) -> bytes:
    """Pictures uint8 [H, W, 3] of equal, even size as an MP4; the last one is repeated for LAST_S seconds."""
    try:
        import av
    except ImportError as error:
        raise Problem(
            "A video needs the package av: install it with pip install -r requirements.txt, or make a GIF."
        ) from error
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = None
        for number, picture in enumerate(_resting(pictures, per_second)):
            if stream is None:
                stream = container.add_stream("libx264", rate=per_second, options={"crf": "18", "preset": "veryfast"})
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"  # what phones and slide programs decode
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, per_second)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _resting(pictures: Iterable[np.ndarray], per_second: int) -> Iterable[np.ndarray]:
    for picture in pictures:
        yield picture
    for _ in range(round(LAST_S * per_second)):
        yield picture


FORMATS: dict[str, tuple[Callable[[Iterable[np.ndarray], int], bytes], str]] = {  # name -> (encode, MIME type)
    "MP4": (mp4, "video/mp4"),
    "GIF": (gif, "image/gif"),
}
