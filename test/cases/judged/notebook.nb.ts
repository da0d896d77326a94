// ---
// title: Baselines against numbers computed by other means
// seed: 5
// ---

// %% [markdown] id="note"
// `check` compares with numbers computed in Python from the formulas: 16 of the 80 training rows and 6 of the 20 test rows are true.

// %% [sql] id="rows"
const rows = sql`
  select i as id, (i * 7) % 10 < (case when i < 80 then 2 else 3 end) as late, ((i * i) % 97)::double as amount
  from range(120) t(i)`

// %% id="split"
const parts = rows.split({ by: "time", key: "id", cut: [80, 100] })

// %% [baseline] id="floor"
const floor = await baseline({ split: parts, task: { kind: "binary", target: "late" }, metric: "log loss", using: ["prior"] })

// %% [baseline] id="right"
const right = await baseline({ split: parts, task: { kind: "binary", target: "late" }, metric: "accuracy", using: ["majority"] })

// %% [baseline] id="amounts"
const amounts = await baseline({ split: parts, task: { kind: "regression", target: "amount" }, metric: "RMSE", using: ["mean", "median"] })

// %% [baseline] id="absolute"
const absolute = await baseline({ split: parts, task: { kind: "regression", target: "amount" }, metric: "MAE", using: ["mean", "median"] })

// %% id="counts"
;[await parts.train.count(), await parts.valid.count(), await parts.test.count()]

// %% id="check"
const near = (found: number[], known: number[]) => found.every((a, i) => Math.abs(a - known[i]) < 1e-12 * Math.abs(known[i]))
const values = ({ all }: typeof amounts) => all.map((one) => one.evaluation.value).sort((a, b) => a - b)
;({
  prior: near(values(floor), [0.6390318596501766]),
  majority: near(values(right), [0.7]),
  rmse: near(values(amounts), [29.398979574128077, 29.491378507116277]),
  mae: near(values(absolute), [25.3, 25.3875]),
})
