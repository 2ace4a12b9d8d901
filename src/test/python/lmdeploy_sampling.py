"""LMDeploy's choice of prompts, written again from its rules: the expected values of PromptSamplerTest.

The tokenizer is a toy: a token for each run of characters other than the space U+0020.

    java -cp target/benchmarks.jar org.tokenrate.bench.GeneratedShareGpt dialogues.json 12
    python3 src/test/python/lmdeploy_sampling.py dialogues.json \
        > src/test/resources/org/tokenrate/dataset/lmdeploy-sampling.json
"""

import hashlib
import json
import random
import sys


def tokens(text):
    return sum(1 for word in text.split(" ") if word)


def usable(dialogue):
    _, prompt, answer = dialogue
    return tokens(prompt) in range(4, 1025) and tokens(answer) >= 4 and tokens(prompt) + tokens(answer) <= 2048


def shuffle(dialogues, count):
    dialogues = list(dialogues)
    random.shuffle(dialogues)
    chosen = []
    for dialogue in dialogues:
        if len(chosen) == count:
            break
        if usable(dialogue):
            chosen.append(dialogue)
    return chosen


def presample(dialogues, count):
    drawn = random.sample(dialogues, max(int(1.2 * count), 1000))
    return random.sample([d for d in drawn if usable(d)], count)


def main():
    content = open(sys.argv[1], "rb").read()
    conversations = [c["conversations"] for c in json.loads(content)]
    pairs = [(c[0]["value"], c[1]["value"]) for c in conversations if len(c) >= 2]
    dialogues = [(i, prompt, answer) for i, (prompt, answer) in enumerate(pairs)]
    runs = []
    for method in (shuffle, presample):
        for seed in (0, 42, 2**32 + 5, -3):
            for count in (1, 64, 900):
                random.seed(seed)
                chosen = method(dialogues, count)
                runs.append({
                    "sampling": method.__name__, "seed": seed, "numPrompts": count,
                    "indices": [i for i, _, _ in chosen],
                    "promptTokens": sum(tokens(p) for _, p, _ in chosen),
                    "answerTokens": sum(tokens(a) for _, _, a in chosen),
                })
    print(json.dumps({
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(dialogues),
        "usable": sum(map(usable, dialogues)),
        "runs": runs,
    }))


main()
