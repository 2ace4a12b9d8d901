"""Small tokenizers of each kind, and what Hugging Face's tokenizers makes of texts and token sequences with them:
the tokenizer.json files and expected values of JsonTokenizerTest. Training is not the same every time: a folder's two
files belong together.

    pip install tokenizers==0.22.2
    python3 src/test/python/tokenizers_reference.py src/test/resources/org/tokenrate/tokenizer
"""

import json
import os
import random
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXTS = [
    "", " ", "the quick brown fox jumps over the lazy dog", "  two  spaces ", "naïve café", "你好，世界", "🚀🚀 go",
    "def f(x):\n\treturn x + 1\n", "it's don't we'll", "привет мир", "<s> </s> <tool>x<|end|>", "▁ ▁x", "a\u0000b",
    "👩‍👩‍👧 zero width", "the " * 100,
]
CORPUS = TEXTS[2:10] * 20


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=330, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    tokenizer.add_tokens([AddedToken("<tool>", special=False), AddedToken("Ġ世 x", special=False)])
    tokenizer.add_special_tokens(["<|end|>"])
    begin_with_s(tokenizer)
    # What must not happen to a benchmark's prompts.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=16, pad_id=1, pad_token="</s>")
    return tokenizer


def byte_fallback():
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    words = "▁ t h e q u i c k b r o w n f x j m p s v l a z y d g ' é 好 ▁▁ th ▁the ▁q ui ck ▁quick ▁d og 🚀 tw".split(" ")
    pieces += words
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    merges = [("t", "h"), ("▁", "▁"), ("u", "i"), ("c", "k"), ("▁", "q"), ("t", "w")]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.add_tokens([AddedToken("<tool>", special=False), AddedToken(" <gap>", special=False)])
    begin_with_s(tokenizer)
    return tokenizer


def metaspace():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(CORPUS, trainers.UnigramTrainer(
        vocab_size=120, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))
    begin_with_s(tokenizer)
    return tokenizer


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(
        vocab_size=150, special_tokens=["[UNK]", "<s>"], show_progress=False))
    begin_with_s(tokenizer)
    return tokenizer


def begin_with_s(tokenizer):
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])


def reference(tokenizer):
    tokenizer.no_truncation()
    tokenizer.no_padding()
    size = max(tokenizer.get_vocab().values()) + 1
    rng = random.Random(7)
    sequences = [[rng.randrange(size + 2) for _ in range(rng.randrange(12))] for _ in range(60)]
    return {
        "size": size,
        "encoded": [{"text": text, "ids": tokenizer.encode(text).ids} for text in TEXTS],
        "decoded": [{"ids": ids, "text": tokenizer.decode(ids)} for ids in sequences],
    }


for make in (byte_level, byte_fallback, metaspace, word_piece):
    folder = os.path.join(sys.argv[1], make.__name__.replace("_", "-"))
    os.makedirs(folder, exist_ok=True)
    tokenizer = make()
    tokenizer.save(os.path.join(folder, "tokenizer.json"), pretty=False)
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as f:
        json.dump(reference(tokenizer), f, ensure_ascii=False)
