#!/usr/bin/env python3
"""Draws docs/images/road.png: what the camera network sees on rendered roads.

usage: make_road_picture.py PREPARED_FOLDER OUT.png    (the folder: `dojo prepare models/pilotnet.onnx --out PREPARED_FOLDER`)

Six frames, each of another drive, in two rows, as they enter the network (3 x 66 x 200); under each a bar from the middle to
where the label steers, the whole half width being full lock.
"""
import json
import pathlib
import struct
import sys
import zlib

import numpy

COLUMNS, ROWS, GAP, BAR, DRIVE = 3, 2, 6, 4, 50


def panel(frame: numpy.ndarray, angle: float) -> numpy.ndarray:
    """A picture of 66 x 200 x 3 whole numbers and its bar below."""
    height, width, _ = frame.shape
    picture = numpy.full((height + BAR, width, 3), 255, numpy.uint8)
    picture[:height] = frame
    ends = sorted((width // 2, width // 2 + round(angle * (width // 2 - 1))))
    picture[height + 1:, ends[0]:ends[1] + 1] = (200, 40, 40)
    return picture


def to_rgb(yuv: numpy.ndarray) -> numpy.ndarray:
    """Whole numbers from the network's luma (-1 to 1) and chroma: the inverse of ITU-T T.871, section 7."""
    luma, blue, red = (yuv[..., channel] * 127.5 for channel in range(3))
    rgb = numpy.stack((luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue), axis=-1)
    return (rgb + 127.5).round().clip(0, 255).astype(numpy.uint8)


def png(picture: numpy.ndarray) -> bytes:
    """RGB, 8 bits a channel (ISO/IEC 15948): a filter byte of 0 before each row."""
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    height, width, _ = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def main(folder: pathlib.Path, out: pathlib.Path) -> None:
    channels, height, width = json.loads((folder / "prepared.json").read_text())["input_shape"]
    size = channels * height * width
    labels = numpy.fromfile(folder / "train_labels.f32", "<f4").reshape(-1, 1)
    inputs = numpy.memmap(folder / "train_inputs.f32", "<f4", "r").reshape(-1, size)
    all_of_them = numpy.full((ROWS * (height + BAR + GAP) - GAP, COLUMNS * (width + GAP) - GAP, 3), 255, numpy.uint8)
    for place in range(ROWS * COLUMNS):
        number = place * DRIVE * 2
        frame = inputs[number].reshape(channels, height, width).transpose(1, 2, 0)
        drawn = panel(to_rgb(frame), float(labels[number][0]))
        y, x = place // COLUMNS * (height + BAR + GAP), place % COLUMNS * (width + GAP)
        all_of_them[y:y + drawn.shape[0], x:x + width] = drawn
    out.write_bytes(png(all_of_them))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
