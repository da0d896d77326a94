// ---
// title: Forecasts against numbers computed by other means
// seed: 5
// ---

// %% [markdown] id="note"
// `check` compares with numbers computed in Python: each of the last 20 days is predicted from the day before (naive) and from the same weekday (seasonal).

// %% [sql] id="days"
const days = sql`
  select date '2020-01-06' + i::int as date, 10 + 3 * (i % 7) + (i * i) % 5 + 0.1::double * i as riders
  from range(140) t(i)`

// %% id="split"
const parts = days.split({ by: "time", key: "date", cut: ["2020-04-15", "2020-05-05"] })

// %% [baseline] id="floor"
const floor = await baseline({
  split: parts,
  task: { kind: "forecast", target: "riders", time: "date", season: 7, horizon: 1 },
  metric: "MAE",
  using: ["naive", "seasonal naive"],
})

// %% [baseline] id="scaled"
const scaled = await baseline({
  split: parts,
  task: { kind: "forecast", target: "riders", time: "date", season: 7, horizon: 1 },
  metric: "MASE",
  using: ["seasonal naive"],
})

// %% id="check"
const near = (found: number[], known: number[]) => found.every((a, i) => Math.abs(a - known[i]) < 1e-12 * Math.abs(known[i]))
const values = ({ all }: typeof floor) => all.map((one) => one.evaluation.value).sort((a, b) => a - b)
;({
  rows: await parts.test.count(),
  absolute: near(values(floor), [2.94, 4.48]),
  scaled: near(values(scaled), [0.9931710860879046]),
})
