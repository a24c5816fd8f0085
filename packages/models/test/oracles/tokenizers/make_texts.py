"""Writes texts.json.gz: some 2,300 mild texts that stress tokenizers, and pairs of them. Same seed, same bytes.

    python make_texts.py texts.json.gz
"""
import gzip, json, random, sys, unicodedata

rng = random.Random(20240601)

WORDS = (
    "the a of to and in is it you that he was for on are with as his they be at one have this from or had by hot but some "
    "what there we can out other were all your when up use word how said an each she which do their time if will way about "
    "many then them would write like so these her long make thing see him two has look more day could go come did my sound "
    "no most number who over know water than call first people may down side been now find any new work part take get place "
    "homework borrowing cheating prank spam rude garden kettle bicycle tokenizer transformer internationalization "
    "antidisestablishmentarianism running jumped happily unbelievable re-entry co-operate don't won't I'm it's O'Neill "
    "Python process kill -9 Zürich naïve café résumé Ångström façade jalapeño smörgåsbord İstanbul ΑΘΗΝΑ ΟΔΟΣ Straße groß"
).split()
CJK = "我你好世界中文字典今天天气很好学习机器翻译語言模型東京日本語ひらがなカタカナﾊﾝｶｸ한국어안녕하세요\u3000、。「」！？㐀𠀀𪜶豈"
ARABIC = "السلام عليكم كيف حالك اللغة العربية جميلة ١٢٣٤ ؟ ، ﷺ ﷲ لا إله"
THAI = "สวัสดีครับภาษาไทยกินข้าวหรือยังน้ำ๑๒๓"
HINDI = "नमस्ते दुनिया हिन्दी भाषा क्षत्रिय १२३"
HEBREW = "שָׁלוֹם עולם עברית"
CYRILLIC = "Привет мир как дела ёжик Щука"
GREEK = "Καλημέρα κόσμε ΟΔΥΣΣΕΥΣ ς σ ΐ ΰ ᾳ"
GEORGIAN = "გამარჯობა ᲒᲐᲛᲐᲠᲯᲝᲑᲐ"
EMOJI = ["😀", "👍🏽", "👨‍👩‍👧‍👦", "🤷🏽‍♀️", "🏳️‍🌈", "🇫🇷", "❤️", "☃", "1️⃣", "🧑🏿‍🚀", "🫠", "👁️‍🗨️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
MARKS = [chr(c) for c in [0x300, 0x301, 0x302, 0x303, 0x308, 0x30A, 0x323, 0x327, 0x338, 0x345, 0x489, 0x20D0, 0x20E3, 0xFE0F, 0x64B, 0x5B0, 0x93C, 0xE38]]
CONTROLS = [chr(c) for c in [0, 1, 7, 8, 9, 10, 11, 12, 13, 27, 28, 31, 0x7F, 0x80, 0x85, 0x9F, 0xAD]]
SPACES = [chr(c) for c in [0x20, 0xA0, 0x1680, 0x2000, 0x2003, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]]
INVISIBLE = [chr(c) for c in [0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0x202E, 0x2066, 0x2069, 0x180E, 0xFFFD, 0x34F]]
COMPAT = "ﬁﬂﬀﬃ①②Ⅳ½¾²³™℠℃Å㎏㍿ＦＵＬＬｗｉｄｔｈ１２３！＃［］～〜ªº…‼⁉ǆ㋿"
PUNCT = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¿«»‘’“”„–—―‹›•…‽§¶†‡‰′″※₹€£¥¢¤°±×÷≠≤≥∞∑√∂∫"
CODE = [
    "def f(x): return x**2  # square", "const a = (b) => b?.c ?? `d${e}`;", "SELECT * FROM t WHERE id=1;", "<div class=\"x\">&amp;</div>",
    "git commit -m 'fix: off-by-one' && git push", "printf(\"%d\\n\", i++);", "{\"a\": [1, 2.5e-3, null]}", "for(;;){}", "\\frac{a}{b}_{i}^{2}",
    "https://example.com/a/b?c=d&e=f#g", "user.name+tag@example.co.uk", "C:\\Users\\x\\file.txt", "/usr/local/bin", "192.168.0.1:8080", "ftp://[::1]/",
]
NUMBERS = ["1234567890", "3.14159", "1,000,000.00", "-42", "+1 (555) 010-9999", "0x1F600", "1e10", "٣٤٥", "２０２４", "２４", "12:34:56", "2024-06-01", "50%", "$9.99", "1/2", "ⅻ"]
SPECIALS = ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "<s>", "</s>", "<pad>", "<unk>", "<mask>", "<0x41>", "▁", "▁▁", "##ing", "[cls]", "［CLS］", "[CLS", "CLS]", "[[CLS]]", "[MASK][MASK]"]


def words(n):
    return " ".join(rng.choice(WORDS) for _ in range(n))


def run(alphabet, n):
    return "".join(rng.choice(alphabet) for _ in range(n))


def plane():
    """Any assigned character that is not a surrogate, and whose meaning the reference's old tables know."""
    while True:
        c = rng.choice([rng.randrange(0x20, 0x3000), rng.randrange(0x3000, 0x10000), rng.randrange(0x10000, 0x20000), rng.randrange(0x20000, 0x2FA20)])
        if 0xD800 <= c < 0xE000:
            continue
        if unicodedata.category(chr(c)) != "Cn" and known(c):
            return chr(c)


def known(c):
    return c not in SKIPPED


# characters whose NFD or NFKC changed after the reference libraries' tables were made (see normalizers.test.ts)
SKIPPED = set()
for low, high in [(0x32FF, 0x32FF), (0xA7F1, 0xA7F4), (0xAB69, 0xAB69), (0x105C9, 0x105C9), (0x105E4, 0x105E4), (0x10781, 0x107BA), (0x11383, 0x11391), (0x113C5, 0x113C8), (0x11938, 0x11938), (0x16121, 0x16128), (0x16D68, 0x16D6A), (0x1CCD6, 0x1CCF9), (0x1E030, 0x1E06D), (0x1F16C, 0x1F16C), (0x1FBF0, 0x1FBF9)]:
    SKIPPED.update(range(low, high + 1))

texts = ["", " ", "  ", "\n", "\t \n", "\u3000", "\u200b", "a", ".", "▁", "\0", "\ufeff", "\u0301", "😀", " a", "a ", " a  b ", "A\r\nB", "x\u0300\u0301"]
texts += [w for w in WORDS[-20:]] + EMOJI + CODE + NUMBERS + SPECIALS
for _ in range(500):
    text = words(rng.randrange(1, 14))
    if rng.random() < 0.5:
        text = text.capitalize() + rng.choice([".", "?", "!", "...", "?!"])
    texts.append(text.upper() if rng.random() < 0.1 else text)
for _ in range(150):
    texts.append(rng.choice(CODE) + " " + words(rng.randrange(0, 4)) + rng.choice(NUMBERS))
for script in (CJK, ARABIC, THAI, HINDI, HEBREW, CYRILLIC, GREEK, GEORGIAN, COMPAT, PUNCT):
    for _ in range(40):
        texts.append(run(script, rng.randrange(1, 24)))
for odd in (MARKS, CONTROLS, SPACES, INVISIBLE, EMOJI, list(PUNCT), list(COMPAT)):
    for _ in range(60):
        pieces = words(rng.randrange(1, 5)).split(" ")
        for _ in range(rng.randrange(1, 5)):
            pieces.insert(rng.randrange(len(pieces) + 1), run(odd, rng.randrange(1, 4)))
        texts.append(rng.choice(["", " "]).join(pieces))
for _ in range(250):  # anything next to anything
    pools = [CJK, ARABIC, THAI, HINDI, HEBREW, CYRILLIC, GREEK, COMPAT, PUNCT, MARKS, CONTROLS, SPACES, INVISIBLE, EMOJI, WORDS]
    texts.append("".join(run(rng.choice(pools), rng.randrange(1, 4)) for _ in range(rng.randrange(2, 8))))
for _ in range(200):
    texts.append("".join(plane() for _ in range(rng.randrange(1, 8))))
for _ in range(120):
    parts = [rng.choice(SPECIALS) for _ in range(rng.randrange(1, 4))] + words(rng.randrange(0, 4)).split(" ")
    rng.shuffle(parts)
    texts.append(rng.choice(["", " ", "  "]).join(parts))
for text in rng.sample([t for t in texts if not t.isascii()], 150):
    texts.append(unicodedata.normalize(rng.choice(["NFC", "NFD"]), text))
for _ in range(60):
    texts.append(run("abcdefghijklmnopqrstuvwxyz", rng.choice([5, 30, 99, 100, 101, 200])))
long_base = [words(40), run(CJK, 40), run("ab", 10), " ", "😀", run(ARABIC, 30), "a\u0301", run(PUNCT, 30), "x", words(7) + ". "]
texts += [(base * (10_000 // len(base) + 1))[:10_000] for base in long_base]

texts = list(dict.fromkeys(texts))
assert all(not 0xD800 <= ord(c) < 0xE000 for t in texts for c in t)
short = [i for i, t in enumerate(texts) if len(t) < 200]
pairs = [[rng.choice(short), rng.choice(short), rng.choice([3, 4, 5, 8, 13, 16, 24, 64])] for _ in range(300)]
pairs += [[i, i, length] for i in rng.sample(short, 40) for length in (7, 8)]
body = json.dumps({"texts": texts, "pairs": pairs}, ensure_ascii=True, separators=(",", ":")).encode()
with open(sys.argv[1], "wb") as out:
    out.write(gzip.compress(body, 9, mtime=0))
print(len(texts), "texts,", len(pairs), "pairs,", len(body), "bytes")
