#!/usr/bin/env python3
"""Writes tests/data/vader_golden.jsonl: texts with the scores that vaderSentiment 3.3.2 gives them.

    venv/bin/python scripts/vader_golden.py tests/data/vader_golden.jsonl

Each line is [text, [neg, neu, pos, compound]]. Run on CPython 3.12 or newer. The texts are our own or
generated from the lexicon with a fixed seed.
"""
import json
import random
import string
import sys

from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SentimentIntensityAnalyzer

ANALYZER = SentimentIntensityAnalyzer()
LEXICON, EMOJI = sorted(ANALYZER.lexicon), sorted(ANALYZER.emojis)
BOOSTERS = sorted(BOOSTER_DICT)
RULE_WORDS = ("no No or nor but BUT least at very kind KIND sort of OF just enough never so this without doubt "
              "the shit bomb bad ass bus stop yeah right kiss death to die for beating heart n't can't").split()
PHRASES = ("the shit|the bomb|bad ass|badass|bus stop|yeah right|kiss of death|to die for|beating heart|"
           "just enough|kind of|sort of|never so|never this|without doubt|without a doubt|at least|very least").split("|")
SPACES = " " * 8 + "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\u200b\u180e\ufeff\0"
ODD = ["\u0130", "\u0131", "\u017f", "\u212a", "\ufb01", "\xdf", "\u1e9e", "\u03a3", "\u03c2", "\u01c5", "\u01c6",
       "\u01c4", "\u24b6", "\u24d0", "\u2167", "\xaa", "\u02b0", "\u0345", "\xe9", "\xc9", "\u4e2d", "\u0627",
       "\u0301", "\u200d", "\ufe0f", "\U0001f3fd", "\u2019", "\u201c", "\u2026", "\U0001d400", "\u10d0", "\u1c90",
       "\ua7cb", "\u1c89", "\U00010d50", "\u039f\u0394\u039f\u03a3", "\u041c\u0418\u0420"]
OWN = """Our picnic was lovely.|Our picnic was LOVELY!|NO IDEA WHY BUT I LOVE IT|I do not hate it|It isn't bad at all
We won :) :-D ;P|what??|what???|what????|so good!!!!!!|He is the least friendly cook|at least it is good|very least good
no good reason|no problem|no, thanks|there is no hope or joy|neither good nor bad|good but bad but good|but|but but but
never so good|never this good|I was never so very good|without doubt good|without a doubt a good plan|they can never be good
good, but not great, but fine, and good again|great great but great great|VERY good|very GOOD|kind of good|kind good
the food is to die for|this was the kiss of death for us|a really big yeah right moment|my poor beating heart is sad
she is one bad ass pilot|we met at the old bus stop and it was good|this song is the shit honestly|truly the bomb today
(great)|"great"|'great'|...great...|gr8|a|ok|:)|:(|:D|:P|x-d|<3|</3|\u00e9\u00e9!|\u00e9\u00e9\u00e9!|not. good|not, good
I can\u2019t be happy|I can't be happy|ain't happy|uh-uh happy|cannot happy|despite joy|rarely sad|hardly ever glad""".replace("\n", "|").split("|")


def vary(rng, word):
    pick = rng.random()
    if pick < 0.2:
        return word.upper()
    if pick < 0.3:
        return word.capitalize()
    if pick < 0.35:
        return word.replace("k", "\u212a").replace("i", rng.choice("i\u0131\u0130I"))
    return word


def token(rng):
    pools = [(LEXICON, 30), (RULE_WORDS, 20), (BOOSTERS, 10), (NEGATE, 10), (EMOJI, 8), (ODD, 6), (PHRASES, 6),
             (["good", "bad", "love", "hate", "table", "walks"], 10)]
    pool = rng.choices([pool for pool, _ in pools], [weight for _, weight in pools])[0]
    word = vary(rng, rng.choice(pool))
    pick = rng.random()
    if pick < 0.12:
        return word + rng.choice(string.punctuation) * rng.choice([1, 1, 2, 4])
    if pick < 0.18:
        return rng.choice(string.punctuation) + word + rng.choice(string.punctuation)
    if pick < 0.22:
        return word + rng.choice(ODD)
    if pick < 0.25:
        return word.replace("'", "\u2019")
    return rng.choice(EMOJI) + word if pick < 0.27 else word


def texts():
    rng = random.Random(20)
    yield from OWN
    for phrase in PHRASES:
        filler = "we saw a good thing and then it went bad again".split()
        for at in range(len(filler) + 1):
            yield " ".join(filler[:at] + [phrase] + filler[at:])
    for emoji in EMOJI[::3]:
        for text in (emoji, f"a{emoji}b", f"good {emoji}{emoji}!", f"{emoji}\ufe0f bad", f"{emoji}\U0001f3fd ok"):
            yield text if len(emoji) < 3 else emoji
    for word in LEXICON[::4]:
        yield vary(rng, word)
    for _ in range(2500):
        yield " ".join(vary(rng, rng.choice(RULE_WORDS + ["good", "bad", "x", "great"])) for _ in range(rng.randint(1, 9)))
    for _ in range(4000):
        yield "".join(token(rng) + rng.choice(SPACES) for _ in range(rng.randint(1, 12)))
    for count in (600, 2500):
        yield " ".join(vary(rng, rng.choice(["good", "bad", "but", "x", "very"])) for _ in range(count))
    yield " ".join(["good", "x", "bad", "but"] * 2500)


def main(path):
    with open(path, "w", encoding="utf-8") as out:
        for text in texts():
            s = ANALYZER.polarity_scores(text)
            print(json.dumps([text, [s["neg"], s["neu"], s["pos"], s["compound"]]], ensure_ascii=False), file=out)


main(sys.argv[1])
