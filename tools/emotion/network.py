"""The teacher: a network with one hidden layer over embeddings, trained on soft labels by Adam (Kingma and Ba, 2015).

Its outputs are those of the student: shares of the primary emotions, valence, arousal, concern, crisis.
"""
import numpy


def softmax(logits):
    odds = numpy.exp(logits - logits.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + numpy.exp(-logits))


class Network:
    def __init__(self, rows, shares, numbers, weights=None, hidden=384, passes=14, rate=1e-3, decay=0.02, dropout=0.3,
                 batch=128, seed=1):
        """`numbers` has valence, arousal, concern and crisis of each row; NaN where one is not known."""
        random = numpy.random.default_rng(seed)
        rows = rows.astype("f4")
        self.mean, self.scale = rows.mean(0), rows.std(0) + 1e-6
        x = (rows - self.mean) / self.scale
        shares, numbers = shares.astype("f4"), numbers.astype("f4")
        weights = numpy.ones(len(x), "f4") if weights is None else weights.astype("f4")
        outputs = shares.shape[1] + numbers.shape[1]
        self.choices = shares.shape[1]
        sizes = [x.shape[1], hidden, outputs]
        self.layers = [random.normal(0, (2 / a) ** 0.5 * 0.7, (a, b)).astype("f4") for a, b in zip(sizes, sizes[1:])]
        self.biases = [numpy.zeros(b, "f4") for b in sizes[1:]]
        values = self.layers + self.biases
        first, second = [numpy.zeros_like(v) for v in values], [numpy.zeros_like(v) for v in values]
        steps, step = passes * (-(-len(x) // batch)), 0
        for _ in range(passes):
            order = random.permutation(len(x))
            for start in range(0, len(x), batch):
                chosen = order[start : start + batch]
                kept = (random.random((len(chosen), hidden)) >= dropout).astype("f4") / (1 - dropout)
                seen = x[chosen] * ((random.random((len(chosen), x.shape[1])) >= 0.1) / 0.9).astype("f4")
                inside = numpy.maximum(seen @ self.layers[0] + self.biases[0], 0) * kept
                out = inside @ self.layers[1] + self.biases[1]
                error = numpy.concatenate([softmax(out[:, : self.choices]) - shares[chosen],
                                           self.numbers(out) - numpy.nan_to_num(numbers[chosen])], 1)
                error[:, self.choices :][numpy.isnan(numbers[chosen])] = 0
                error[shares[chosen].sum(1) == 0, : self.choices] = 0
                error *= (weights[chosen] / len(chosen))[:, None]
                back = (error @ self.layers[1].T) * (inside > 0) * kept
                gradients = [seen.T @ back, inside.T @ error, back.sum(0), error.sum(0)]
                step += 1
                speed = rate * (1 - step / steps)
                for value, gradient, a, b in zip(values, gradients, first, second):
                    a *= 0.9
                    a += 0.1 * gradient
                    b *= 0.999
                    b += 0.001 * gradient**2
                    value -= speed * (a / (1 - 0.9**step)) / (numpy.sqrt(b / (1 - 0.999**step)) + 1e-8)
                    if value.ndim > 1:
                        value *= 1 - speed * decay

    def numbers(self, out):
        """Valence and arousal as they are, concern and crisis as probabilities."""
        c = self.choices
        return numpy.concatenate([out[:, c : c + 2], sigmoid(out[:, c + 2 :])], 1)

    def read(self, rows):
        x = (rows.astype("f4") - self.mean) / self.scale
        out = numpy.maximum(x @ self.layers[0] + self.biases[0], 0) @ self.layers[1] + self.biases[1]
        numbers = self.numbers(out)
        numbers[:, 0] = numbers[:, 0].clip(-1, 1)
        numbers[:, 1] = numbers[:, 1].clip(0, 1)
        return softmax(out[:, : self.choices]), numbers
