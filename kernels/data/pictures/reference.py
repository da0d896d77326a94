"""Writes reference.json beside it: small pictures and what Pillow makes of them. `pip install pillow numpy; python3 reference.py`"""
import base64, io, json, pathlib
import numpy as np
from PIL import Image, __version__

h, w = 9, 13
y, x = np.mgrid[0:h, 0:w]
colour = np.stack([(x * 255 // (w - 1)), (y * 255 // (h - 1)), ((x * 7 + y * 31) % 256)], axis=2).astype(np.uint8)
smooth = np.stack([x * 8 + 60, y * 10 + 40, 120 + x * 4 - y * 3], axis=2).astype(np.uint8)
alpha = np.concatenate([colour, ((x * 20) % 256).astype(np.uint8)[:, :, None]], axis=2)
rgb = Image.fromarray(colour)
cases = []


def add(name, image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    back = Image.open(io.BytesIO(out.getvalue()))
    if back.mode == "I;16":  # to the nearest of 256
        back = Image.fromarray(((np.asarray(back).astype(np.int64) * 255 + 32767) // 65535).astype(np.uint8))
    colours, greys = back.convert("RGB"), back.convert("RGB").convert("L")
    flat = lambda one: [int(v) for v in np.asarray(one).reshape(-1)]
    cases.append(
        {
            "name": name,
            "bytes": base64.b64encode(out.getvalue()).decode(),
            "rgb": flat(colours),
            "grey": flat(greys),
            "small": flat(colours.resize((7, 5), Image.BILINEAR)),
            "large": flat(greys.resize((16, 12), Image.BILINEAR)),
        }
    )


add("PNG, colour", rgb, "PNG")
add("PNG, grey", rgb.convert("L"), "PNG")
add("PNG, palette", rgb.quantize(16), "PNG")
add("PNG, transparent", Image.fromarray(alpha, "RGBA"), "PNG")
add("PNG, two colours", rgb.convert("1"), "PNG")
add("PNG, 16 bits", Image.fromarray((x * 5000 + y * 13).astype(np.uint16)), "PNG")
add("JPEG", Image.fromarray(smooth), "JPEG", quality=95, subsampling=0)
add("JPEG, half the colours", Image.fromarray(smooth), "JPEG", quality=90, subsampling=2)
add("JPEG, grey", Image.fromarray(smooth).convert("L"), "JPEG", quality=90)
add("JPEG, progressive", Image.fromarray(smooth), "JPEG", quality=95, subsampling=0, progressive=True)
result = {"made by": f"Pillow {__version__}", "width": w, "height": h, "cases": cases}
pathlib.Path(__file__).with_name("reference.json").write_text(json.dumps(result) + "\n")
