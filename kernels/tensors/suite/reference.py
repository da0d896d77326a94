"""Reference values of suite.test.ts: TensorFlow and Keras in double precision on the CPU. Writes reference.json beside it.

    pip install tensorflow-cpu && python reference.py
"""
import json, os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras, numpy as np, tensorflow as tf

keras.backend.set_floatx("float64")


def wave(shape, by, cast=np.float32):
    n = int(np.prod(shape))
    return np.sin((np.arange(n) + 1) * by).astype(cast).astype(np.float64).reshape(shape)


L = lambda f: lambda *x: f(*x)
same = dict(strides=1, padding="SAME")
T = tf.transpose
ids = np.array([2, 0, 2, 3])
cases = {
    # products
    "matMul": ([((9, 6), 1.3), ((6, 11), 0.7)], tf.matmul),
    "matMul, a transposed": ([((6, 9), 1.3), ((6, 11), 0.7)], lambda a, b: tf.matmul(a, b, transpose_a=True)),
    "matMul, b transposed": ([((9, 6), 1.3), ((11, 6), 0.7)], lambda a, b: tf.matmul(a, b, transpose_b=True)),
    "matMul, both transposed": ([((6, 9), 1.3), ((11, 6), 0.7)], lambda a, b: tf.matmul(a, b, transpose_a=True, transpose_b=True)),
    "matMul of batches": ([((2, 9, 5), 1.3), ((2, 5, 3), 0.7)], tf.matmul),
    "dense with bias and relu": ([((9, 6), 1.3), ((6, 5), 0.7), ((5,), 2.1)], lambda a, b, c: tf.nn.relu(tf.matmul(a, b) + c)),
    "attention": (
        [((2, 5, 4), 1.3), ((2, 6, 4), 0.7), ((2, 6, 3), 2.1)],
        lambda q, k, v: tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / 2.0), v),
    ),
    # convolutions
    "conv2d, same": ([((2, 6, 5, 3), 1.3), ((3, 3, 3, 4), 0.7)], lambda x, w: tf.nn.conv2d(x, w, 1, "SAME")),
    "conv2d, valid, stride 2": ([((2, 7, 7, 2), 1.3), ((3, 2, 2, 3), 0.7)], lambda x, w: tf.nn.conv2d(x, w, 2, "VALID")),
    "conv2d of one pixel": ([((2, 4, 4, 3), 1.3), ((1, 1, 3, 5), 0.7)], lambda x, w: tf.nn.conv2d(x, w, 1, "VALID")),
    "conv1d": ([((2, 8, 3), 1.3), ((3, 3, 4), 0.7)], lambda x, w: tf.nn.conv1d(x, w, 1, "SAME")),
    "depthwise": ([((2, 6, 6, 3), 1.3), ((3, 3, 3, 2), 0.7)], lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME")),
    "depthwise, stride 2": ([((2, 7, 7, 2), 1.3), ((3, 3, 2, 1), 0.7)], lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 2, 2, 1], "VALID")),
    "separable": (
        [((2, 6, 6, 3), 1.3), ((3, 3, 3, 2), 0.7), ((1, 1, 6, 4), 2.1)],
        lambda x, d, p: tf.nn.conv2d(tf.nn.depthwise_conv2d(x, d, [1, 1, 1, 1], "SAME"), p, 1, "VALID"),
    ),
    "max pooling": ([((2, 6, 6, 3), 1.3)], lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID")),
    "max pooling, overlapping": ([((2, 7, 7, 2), 1.3)], lambda x: tf.nn.max_pool2d(x, 3, 2, "SAME")),
    "average pooling": ([((2, 6, 6, 3), 1.3)], lambda x: tf.nn.avg_pool2d(x, 2, 2, "VALID")),
    # element by element
    **{
        name: ([((5, 7), 1.3)], f)
        for name, f in {
            "relu": tf.nn.relu, "relu6": lambda x: tf.nn.relu6(x * 9), "elu": tf.nn.elu, "selu": tf.nn.selu, "sigmoid": tf.sigmoid, "tanh": lambda x: tf.tanh(x * 3),
            "softplus": tf.nn.softplus, "exp": tf.exp, "log": lambda x: tf.math.log(x + 1.5), "sqrt": lambda x: tf.sqrt(x + 1.5), "rsqrt": lambda x: tf.math.rsqrt(x + 1.5),
            "square": tf.square, "abs": tf.abs, "erf": tf.math.erf, "sin": tf.sin, "clip": lambda x: tf.clip_by_value(x, -0.5, 0.6), "leaky relu": lambda x: tf.nn.leaky_relu(x, 0.2),
            "softmax": tf.nn.softmax, "log softmax": tf.nn.log_softmax, "log sum exp": lambda x: tf.reduce_logsumexp(x, 1),
            "sum": lambda x: tf.reduce_sum(x, 0), "mean": lambda x: tf.reduce_mean(x, 1), "max": lambda x: tf.reduce_max(x, 1), "product": lambda x: tf.reduce_prod(x, 1),
            "cumulative sum": lambda x: tf.cumsum(x, 1), "slice": lambda x: x[1:4, 2:6], "pad": lambda x: tf.pad(x, [[1, 2], [0, 1]]), "tile": lambda x: tf.tile(x, [2, 3]),
            "transpose": lambda x: tf.transpose(x), "reverse": lambda x: tf.reverse(x, [1]), "gather": lambda x: tf.gather(x, ids), "split": lambda x: tf.split(x, [3, 4], 1)[1] * 2,
            "moments": lambda x: tf.nn.moments(x, [0])[1],
        }.items()
    },
    "add of a row": ([((5, 7), 1.3), ((7,), 0.7)], lambda a, b: a + b),
    "product with a column": ([((5, 7), 1.3), ((5, 1), 0.7)], lambda a, b: a * b),
    "quotient": ([((5, 7), 1.3), ((5, 7), 0.7)], lambda a, b: a / (b + 2.0)),
    "power": ([((5, 7), 1.3)], lambda a: (a + 2.0) ** 3),
    "maximum": ([((5, 7), 1.3), ((5, 7), 0.7)], tf.maximum),
    "where": ([((5, 7), 1.3), ((5, 7), 0.7)], lambda a, b: tf.where(tf.constant(wave((5, 7), 0.9)) > 0.0, a * 2.0, b)),
    "concat": ([((5, 2), 1.3), ((5, 3), 0.7)], lambda a, b: tf.concat([a, b], 1)),
    "stack": ([((5, 2), 1.3), ((5, 2), 0.7)], lambda a, b: tf.stack([a, b], 1)),
    "batch normalisation": (
        [((6, 4), 1.3), ((4,), 0.7), ((4,), 2.1)],
        lambda x, g, b: tf.nn.batch_normalization(x, *tf.nn.moments(x, [0]), b, g, 1e-3),
    ),
    # losses of logits
    "softmax cross-entropy": ([((4, 5), 1.3)], lambda z: tf.nn.softmax_cross_entropy_with_logits(tf.one_hot(ids, 5, dtype=tf.float64), z)),
    "logistic loss": ([((20,), 1.3)], lambda z: tf.nn.sigmoid_cross_entropy_with_logits(tf.constant((np.arange(20) % 3 == 0) * 1.0), z)),
    "squared error": ([((20,), 1.3), ((20,), 0.7)], lambda a, b: tf.reduce_mean((a - b) ** 2)),
    "absolute error": ([((20,), 1.3), ((20,), 0.7)], lambda a, b: tf.reduce_mean(tf.abs(a - b))),
}

out = {"made by": f"tensorflow {tf.__version__}, keras {keras.__version__}, numpy {np.__version__}", "operations": {}, "layers": {}, "training": {}}
flat = lambda t: [float(f"{v:.8g}") for v in np.asarray(t).reshape(-1)]
for name, (inputs, f) in cases.items():
    x = [tf.constant(wave(s, by)) for s, by in inputs]
    with tf.GradientTape() as tape:
        for v in x: tape.watch(v)
        y = f(*x)
        total = tf.reduce_sum(y * tf.constant(wave(y.shape if y.shape.rank else (1,), 0.37).reshape(y.shape)))
    grads = tape.gradient(total, x)
    out["operations"][name] = {"value": flat(y), "gradients": [flat(tf.convert_to_tensor(g)) for g in grads]}


def seeded(model, scale=0.4):
    """every weight a wave of its own; in the order of the model's weights"""
    for i, w in enumerate(model.weights):
        values = wave(w.shape, 0.9 + 0.31 * i) * scale
        w.assign(np.abs(values) + 0.5 if "variance" in w.name else values)


K = keras.layers
layers = {
    "dense": ((6,), [K.Dense(5, activation="tanh")]),
    "conv2d": ((6, 5, 2), [K.Conv2D(3, 3, padding="same", activation="relu"), K.Flatten()]),
    "conv1d": ((8, 3), [K.Conv1D(4, 3, activation="relu"), K.Flatten()]),
    "depthwise conv2d": ((6, 6, 2), [K.DepthwiseConv2D(3, padding="same", depth_multiplier=2), K.Flatten()]),
    "separable conv2d": ((6, 6, 2), [K.SeparableConv2D(3, 3, padding="same"), K.Flatten()]),
    "pooling": ((6, 6, 2), [K.MaxPooling2D(2), K.AveragePooling2D(3), K.Flatten()]),
    "global pooling": ((6, 6, 2), [K.GlobalAveragePooling2D()]),
    "batch normalisation": ((6,), [K.BatchNormalization()]),
    "layer normalisation": ((6,), [K.LayerNormalization()]),
    "embedding": ((4,), [K.Embedding(7, 3), K.Flatten()]),
    "simple rnn": ((5, 3), [K.SimpleRNN(4)]),
    "gru": ((5, 3), [K.GRU(4, reset_after=False, recurrent_activation="sigmoid")]),
    "lstm": ((5, 3), [K.LSTM(4, recurrent_activation="sigmoid")]),
    "lstm, sequences": ((5, 3), [K.LSTM(4, return_sequences=True, recurrent_activation="sigmoid"), K.Flatten()]),
    "bidirectional lstm": ((5, 3), [K.Bidirectional(K.LSTM(4, recurrent_activation="sigmoid"))]),
    "time distributed": ((5, 3), [K.TimeDistributed(K.Dense(2)), K.Flatten()]),
    "elu, selu, softplus, softsign": ((6,), [K.Dense(6, activation=a) for a in ["elu", "selu", "softplus", "softsign"]]),
}


def data(shape, rows, name):
    if name == "embedding": return (np.arange(rows * shape[0]) * 5 % 7).reshape((rows, *shape)).astype(np.float64)
    return wave((rows, *shape), 1.3)


for name, (shape, parts) in layers.items():
    model = keras.Sequential([keras.Input(shape), *parts])
    seeded(model)
    x = data(shape, 8, name)
    predicted = model.predict(x, verbose=0)
    # five steps of gradient descent towards a wave, the batch statistics in use
    y = wave(predicted.shape, 0.53)
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    losses = [float(model.train_on_batch(x, y)) for _ in range(5)]
    # keras reports the running mean of the losses of an epoch; each step's own is wanted
    out["layers"][name] = {"predicted": flat(predicted), "after": flat(model.predict(x, verbose=0))}

O = keras.optimizers
optimizers = {
    "sgd": O.SGD(0.1), "momentum": O.SGD(0.05, momentum=0.9), "momentum, Nesterov": O.SGD(0.05, momentum=0.9, nesterov=True),
    "adagrad": O.Adagrad(0.1, initial_accumulator_value=0.1), "rmsprop": O.RMSprop(0.01, rho=0.9), "adam": O.Adam(0.02), "adamax": O.Adamax(0.02),
}
for name, optimizer in optimizers.items():
    model = keras.Sequential([keras.Input((6,)), K.Dense(8, activation="tanh"), K.Dense(3, activation="softmax")])
    seeded(model)
    x, classes = wave((24, 6), 1.3), np.arange(24) % 3
    optimizer.build(model.trainable_variables)
    losses = []
    for _ in range(12):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(classes, model(x, training=True)))
        optimizer.apply(tape.gradient(loss, model.trainable_variables))
        losses.append(float(loss))
    out["training"][name] = losses

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.json"), "w") as file:
    json.dump(out, file, separators=(",", ":"))
    file.write("\n")
