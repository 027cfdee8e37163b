"""Films that play: what a decoder finds in them is what was drawn."""

import io

import av
import numpy as np
from PIL import Image

from resnet_viz.analysis import film


def moving():
    return [np.full((64, 96, 3), (40 * i, 255 - 40 * i, 90), dtype=np.uint8) for i in range(6)]


def test_the_video_plays_every_frame_and_rests_on_the_last():
    data = film.mp4(moving(), 8)
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert (stream.codec_context.name, float(stream.average_rate)) == ("h264", 8)
        assert stream.codec_context.pix_fmt == "yuv420p"
    assert len(frames) == 6 + 2 * 8
    for sent, got in zip(moving(), frames):
        assert np.abs(sent.astype(int) - got).max() < 12  # H.264 rounds colours
    assert np.abs(moving()[-1].astype(int) - frames[-1]).max() < 12


def test_the_gif_plays_every_frame_for_ever():
    with Image.open(io.BytesIO(film.gif(moving(), 8))) as image:
        assert image.n_frames == 6 and image.info["loop"] == 0
        assert image.info["duration"] in (120, 130)
        image.seek(4)
        assert image.convert("RGB").getpixel((3, 3)) == (160, 95, 90)
        image.seek(5)
        assert image.info["duration"] == 1000 * film.LAST_S
