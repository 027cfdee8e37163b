"""The picture that a session looks at: bounded, named, and what is refused."""

import base64
import io

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.ui import pictures

from ..analysis.conftest import write_run


def picture_of(name: str, size=(60, 40), colour=(200, 30, 40)) -> pictures.NamedPicture:
    return pictures.NamedPicture(name, Image.new("RGB", size, colour), "", f"{name}{size}{colour}")


def script():
    import streamlit as st

    from resnet_viz.ui.pictures import choose_pictures

    picture, own = choose_pictures("test")
    st.markdown(f"{picture.name if picture else None} {len(own)}")


def app_with_nothing(tmp_path, monkeypatch) -> AppTest:
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    st.cache_data.clear()
    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    return app


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, data, "image/png") for name, data in files]).run()
    assert not app.exception
    return app


def test_without_a_checkpoint_there_are_examples(tmp_path, monkeypatch):
    assert [m.value for m in app_with_nothing(tmp_path, monkeypatch).markdown] == ["Cat 0"]


def test_a_network_of_shapes_is_shown_shapes_first(tmp_path, monkeypatch):
    write_run(tmp_path / "runs" / "mine", keep_weights=False)  # says that it learned from shapes
    app = app_with_nothing(tmp_path, monkeypatch)
    assert app.markdown[0].value.split()[0] in (
        "Arrow",
        "Circle",
        "Cross",
        "Frame",
        "Heart",
        "Moon",
        "Ring",
        "Square",
        "Star",
        "Triangle",
    )


def test_an_upload_comes_into_view_and_replaces_the_last_one(tmp_path, monkeypatch):
    app = upload(
        app_with_nothing(tmp_path, monkeypatch),
        ("a.png", png(Image.new("RGB", (9, 9)))),
        ("b.png", png(Image.new("L", (9, 9)))),
    )
    assert app.markdown[0].value == "a.png 2"
    assert upload(app, ("c.png", png(Image.new("1", (9, 9))))).markdown[0].value == "c.png 1"


def test_a_bad_file_leaves_the_earlier_pictures(tmp_path, monkeypatch):
    app = upload(app_with_nothing(tmp_path, monkeypatch), ("a.png", png(Image.new("RGB", (9, 9)))))
    app = upload(app, ("bad.png", b"text"))
    assert app.markdown[0].value == "a.png 1" and "not a picture" in app.error[0].value


def test_too_many_pictures_are_bounded_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "LIMIT_PICTURES", 3)
    files = [(f"{i}.png", png(Image.new("RGB", (9, 9), (i, 0, 0)))) for i in range(5)]
    app = upload(app_with_nothing(tmp_path, monkeypatch), *files)
    assert app.markdown[0].value == "0.png 3" and "5 pictures are too many at once" in app.error[0].value


def test_thumbnails_are_the_middle_square():
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = (10, 200, 30)
    named = pictures.NamedPicture("x", Image.fromarray(pixels), "", "thumbnail-test")
    kind, data = pictures.thumbnail(named).split(",")
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert kind == "data:image/png;base64" and image.size == (100, 100)
    assert (np.asarray(image) == (10, 200, 30)).all()
    large = picture_of("large", (900, 700))
    assert len(pictures.thumbnail(large)) < 20_000 and pictures.thumbnail(large).startswith("data:image/jpeg")
