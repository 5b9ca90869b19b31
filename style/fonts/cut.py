#!/usr/bin/env python3
"""Cuts the two faces down to what the console shows; run by hand when they change.

    pip install fonttools brotli
    npm install --prefix FROM @fontsource-variable/bricolage-grotesque@5.3.0 \
        @fontsource-variable/jetbrains-mono@5.3.0
    style/fonts/cut.py FROM/node_modules/@fontsource-variable

The first page's budget is 180 KB in all, so: Spanish and English only, weights
400-700 only, and kerning that does not vary with the weight (a third of the file).
"""

import io
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

HERE = pathlib.Path(__file__).parent
TEXT = "".join(map(chr, range(0x20, 0x7F))) + "\u00a0¡«·»¿ÁÉÍÑÓ×ÚÜáéíñóúü–—’“”…"
CODE = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)])) + "–—‘’“”•…→≈"
LEAST_KERN = 12  # of 1,000 units; less can't be seen


def flatten_kerning(font: TTFont) -> None:
    """Kerning as it is at the default weight, without the pairs nobody sees."""

    def plain(value) -> None:
        if value is None:
            return
        for device in ("XAdvDevice", "XPlaDevice", "YAdvDevice", "YPlaDevice"):
            if hasattr(value, device):
                delattr(value, device)
        if hasattr(value, "XAdvance") and abs(value.XAdvance) < LEAST_KERN:
            value.XAdvance = 0

    for lookup in font["GPOS"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = table.ExtSubTable if table.LookupType == 9 else table
            if table.LookupType != 2:
                continue
            table.ValueFormat1 &= 0x0F
            if table.Format == 1:
                records = [r for pairs in table.PairSet for r in pairs.PairValueRecord]
            else:
                records = [r for first in table.Class1Record for r in first.Class2Record]
            for record in records:
                plain(record.Value1)
                plain(record.Value2)


def cut(source: pathlib.Path, target: pathlib.Path, text: str, features: list[str]) -> None:
    font = TTFont(source)
    font = instancer.instantiateVariableFont(font, {"wght": (400, 400, 700)})
    if "kern" in features:
        flatten_kerning(font)
    # Read anew: the subsetter trips over tables that the instancer left half loaded.
    whole = io.BytesIO()
    font.flavor = None
    font.save(whole)
    font = TTFont(whole)
    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = features
    options.name_IDs = [0, 1, 2, 13]
    cutter = subset.Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(font)
    font.flavor = "woff2"
    font.save(target)
    print(target.name, target.stat().st_size, "bytes")


if __name__ == "__main__":
    faces = pathlib.Path(sys.argv[1])
    for name, text, features in (
        ("bricolage-grotesque", TEXT, ["kern", "tnum"]),
        ("jetbrains-mono", CODE, []),
    ):
        cut(faces / name / "files" / f"{name}-latin-wght-normal.woff2", HERE / f"{name}.woff2", text, features)
