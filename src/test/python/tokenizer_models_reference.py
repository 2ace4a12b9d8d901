"""Small tokenizer.model files of each kind, and what Google's sentencepiece and OpenAI's tiktoken make of texts and token
sequences with them: the fixtures of SentencePieceTokenizerTest and TiktokenTokenizerTest. Ids are without the tokens that a
model puts around a text. A folder's files belong together.

    pip install sentencepiece==0.2.2 tiktoken==0.14.0 tokenizers==0.23.2 regex
    python3 src/test/python/tokenizer_models_reference.py src/test/resources/org/tokenrate/tokenizer
"""

import base64
import io
import json
import os
import random
import sys
import unicodedata

import regex
import sentencepiece
import tiktoken
from sentencepiece import sentencepiece_model_pb2 as pb
from tokenizers import Tokenizer, decoders, models, normalizers, processors

CORPUS = [
    "the quick brown fox jumps over the lazy dog", "She sells sea shells by the sea shore, doesn't she?",
    "  two  spaces   and    more ", "naïve café, façade, Ünïcode", "你好，世界。今天天气很好", "def f(x):\n\treturn x + 1\n\n",
    "It's 12:45 on 2024-03-07; I'll pay $1234567.89", "привет, мир! как дела?", "مرحبا بالعالم", "🚀🚀 go 👩‍👩‍👧",
    "The model answers the question, then the user asks another one.", "<div class=\"a\">text</div>",
]

TEXTS = [
    "", " ", "  ", "     ", " a", "a ", "  a", "a  b", " a  b ", "\n", "\n\n", "\n \n", "\t", "\t\tx", "a\nb\r\nc\rd", "\r", " \n x",
    "the quick brown fox jumps over the lazy dog", "The Quick Brown", "naïve café", "cafe\u0301 e\u0301\u0327", "ﬁnd ①②③ Ａｂｃ",
    "你好，世界", "今天天气很好吗？𠮷野家", "日本語のテキスト", "한국어 텍스트", "привет мир", "مرحبا بالعالم", "\u202bשלום\u202c עולם",
    "नमस्ते दुनिया", "ภาษาไทย", "🚀🚀 go", "👩‍👩‍👧 family", "👍🏽🇩🇪", "a\u0000b", "\u0000", "\u0001\u0002\u001b[0m\u007f\u0080\u009f",
    "\u00a0nbsp\u2003em\u3000ideographic\u200bzero\u2028line\u2029par\ufeffbom", "\ufffd \ufffe \uffff", "\U0010ffff\U000f0000",
    "\ud83d", "x\ud83dy", "\ude80\ud83d", "a\ud83d\ud83d\ude80", "<s> </s> <unk> <pad>", "<s>", "<|begin_of_text|>x<|end_of_text|>",
    "<|im_start|>user<|im_end|>", "<tool>call</tool>", "<0x41> <0xE4>", "▁ ▁x ▁▁", "x▁y", "it's DON'T we'll I'VE y'ſ", "'s 't're",
    "12 123 1234 12345678 ٣٤٥ ½ Ⅷ", "$1,234.56 (50%)", "def f(x):\n\treturn x + 1\n\n\n# end   \n", "https://example.com/a?b=c&d=%20#e",
    "....,,,!!!???---___===", "supercalifragilisticexpialidocious", "ab" * 300, "the " * 60, "q" * 520, "x" + " " * 40 + "y", "你" * 60,
    "\n" * 30 + "a", "ŉ ǅ İ ß ẞ",
]


def random_text(rng):
    parts = ["the ", "quick", " ", "  ", "\n", "\t", "é", "e\u0301", "ü", "你好", "世", "𠮷", "🚀", "👩‍👩‍👧", "<tool>", "</s>", "▁", "\u0000", "'t",
             "١٢", "123", ".", "мир", "ﬁ", "Ａ", "\u00a0", "\ufffd", "λ", "x", "'LL"]
    text = "".join(rng.choice(parts) for _ in range(rng.randrange(1, 16)))
    # Anything at all, of what both the JDK's and Python's Unicode tables have known for long.
    while rng.random() < 0.4:
        text += chr(rng.choice([rng.randrange(0x20), rng.randrange(0x250), rng.randrange(0x3040, 0x30ff), rng.randrange(0x4e00, 0x9f00),
                                rng.randrange(0x1f300, 0x1f5ff)]))
    return text


def replaced(text):
    """Half a surrogate pair becomes U+FFFD, as tiktoken has it; sentencepiece refuses such text."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def expected(size, encode, decode):
    rng = random.Random(11)
    texts = TEXTS + [random_text(rng) for _ in range(80)]
    sequences = [[rng.randrange(size) for _ in range(rng.randrange(12))] for _ in range(80)]
    # Runs of single bytes: characters whole, cut off and broken.
    sequences += [[rng.randrange(3, min(259, size)) for _ in range(rng.randrange(8))] + [rng.randrange(size)] for _ in range(60)]
    sequences += [encode(replaced(t))[1:] for t in TEXTS[:60] if len(t) < 100]
    return {
        "size": size,
        "encoded": [{"text": t, "ids": encode(replaced(t))} for t in texts],
        "decoded": [{"ids": ids, "text": decode(ids)} for ids in sequences],
    }


def save(folder, name, content):
    os.makedirs(os.path.join(sys.argv[1], folder), exist_ok=True)
    with open(os.path.join(sys.argv[1], folder, name), "wb") as f:
        f.write(content)


def save_expected(folder, values):
    save(folder, "expected.json", json.dumps(values, separators=(",", ":")).encode())


def train(name, **options):
    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 20), model_writer=writer, minloglevel=2, hard_vocab_limit=False, **options)
    model = writer.getvalue()
    save(name, "tokenizer.model", model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    save_expected(name, expected(processor.vocab_size(), processor.encode, processor.decode))
    return model


def rules(*pairs):
    """A file in the working folder, whose name stays in the model."""
    path = "rules.tsv"
    with open(path, "w", encoding="utf-8") as f:
        for source, target in pairs:
            f.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
    return path


def llama_json(model):
    """The same model as a tokenizer.json, in the way that Llama 2's was made from its tokenizer.model."""
    proto = pb.ModelProto.FromString(model)
    vocabulary = {p.piece: i for i, p in enumerate(proto.pieces)}
    merges = []
    for piece in proto.pieces:
        if piece.type != pb.ModelProto.SentencePiece.NORMAL:
            continue
        splits = [(piece.piece[:i], piece.piece[i:]) for i in range(1, len(piece.piece))]
        splits = [s for s in splits if s[0] in vocabulary and s[1] in vocabulary]
        splits.sort(key=lambda s: (vocabulary[s[0]], vocabulary[s[1]]))
        merges += [(s, piece.score) for s in splits]
    merges.sort(key=lambda m: m[1], reverse=True)
    tokenizer = Tokenizer(models.BPE(vocabulary, [m[0] for m in merges], unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", vocabulary["<s>"])])
    # Not made known as added tokens: text that looks like one is text here, as for SentencePiece.
    return tokenizer.to_str().encode()


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def tiktoken_ranks(pattern, size):
    """Byte-pair merges of the corpus, the most frequent first."""
    ranks = {bytes([b]): b for b in range(256)}
    words = [[bytes([b]) for b in word.encode()] for text in CORPUS for word in regex.findall(pattern, text)]
    while len(ranks) < size:
        counts = {}
        for word in words:
            for pair in zip(word, word[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            break
        best = max(sorted(counts), key=counts.get)
        ranks[best[0] + best[1]] = len(ranks)
        for word in words:
            i = 0
            while i + 1 < len(word):
                if (word[i], word[i + 1]) == best:
                    word[i:i + 2] = [best[0] + best[1]]
                i += 1
    return ranks


def tiktoken_folder(folder, file, pattern, normalize=lambda text: text):
    ranks = tiktoken_ranks(pattern, 520)
    save(folder, file, b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items()))
    encoding = tiktoken.Encoding(folder, pat_str=pattern, mergeable_ranks=ranks, special_tokens={"<|begin_of_text|>": len(ranks)})
    save_expected(folder, expected(len(ranks), lambda text: encoding.encode_ordinary(normalize(text)), encoding.decode))


bpe = train("sentencepiece-bpe", vocab_size=440, model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True, character_coverage=0.98)
save("sentencepiece-bpe-json", "tokenizer.json", llama_json(bpe))
train("sentencepiece-unigram", vocab_size=200, model_type="unigram", character_coverage=0.98, user_defined_symbols=["<tool>", "▁x"],
      normalization_rule_tsv=rules(("ﬁ", "fi"), ("Ａ", "A"), ("e\u0301", "é"), ("\u00a0", " "), ("\t", " "), ("\u200b", ""), ("🚀", "rocket")))
train("sentencepiece-unigram-bytes", vocab_size=440, model_type="unigram", byte_fallback=True, character_coverage=0.98,
      normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False, pad_id=3)
os.remove("rules.tsv")
tiktoken_folder("tiktoken-llama3", "tokenizer.model", LLAMA3)
tiktoken_folder("tiktoken-qwen", "qwen.tiktoken", QWEN, lambda text: unicodedata.normalize("NFC", text))
