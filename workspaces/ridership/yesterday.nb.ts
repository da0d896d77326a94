// ---
// title: Can you beat yesterday?
// seed: 1
// ---

// %% [markdown] id="intro"
// # Can you beat yesterday?
//
// How many people (in thousands) will enter the Clark/Lake station in Chicago tomorrow? 5,698 days, 2001 to 2016.
// The simplest forecasts are hard to beat, and the simplest of them all can be served today: it becomes version 1, the control, and the fallback.

// %% [sql] id="days"
const days = sql`
  select date, ridership,
    lag(ridership, 1) over (order by date) as yesterday,
    lag(ridership, 7) over (order by date) as week_ago,
    lag(ridership, 14) over (order by date) as two_weeks_ago,
    avg(ridership) over (order by date rows between 28 preceding and 1 preceding) as month_mean
  from 'data/chicago-ridership.csv'
  qualify two_weeks_ago is not null
  order by date`

// %% id="chart"
const all = await days.columns(["date", "ridership"])
display({
  data: [{ type: "scattergl", mode: "markers", x: all.date, y: all.ridership, marker: { size: 2 }, name: "riders (thousands)" }],
  layout: { title: "Riders a day: two bands, workdays and weekends", xaxis: { title: "day" }, yaxis: { title: "riders (thousands)" } },
})

// %% [markdown] id="floor-text"
// ## Step 1: the number to beat
// Four forecasts that need no training, judged one day ahead over the last two years: each day is predicted from the days before it, then the origin rolls on.

// %% id="split"
const parts = days.split({ by: "time", key: "date", cut: ["2013-09-01", "2014-09-01"] })

// %% [baseline] id="floor"
const floor = await baseline({
  split: parts,
  task: { kind: "forecast", target: "ridership", time: "date", season: 7, horizon: 1 },
  metric: "MAE",
  using: ["naive", "seasonal naive", "drift", "mean"],
})

// %% [markdown] id="first-text"
// ## Step 2: ship the simple thing first
// The best of the four is version 1. From here on every model is compared with something that is in use.

// %% [promote] id="first"
const first = await promote({
  name: "ridership",
  model: floor.bar,
  against: floor,
})

// %% [markdown] id="model-text"
// ## A small model that must beat it
// Yesterday, the same day last week and the week before, the mean of the month, and the day of the week: the caller sends them, because SQL shapes rows and never model features.

// %% id="features"
const feats = features({
  input: { date: "timestamp", yesterday: "double", week_ago: "double", two_weeks_ago: "double", month_mean: "double" },
  fit: async (rows) => ({ mean: await f.stats(rows, "ridership") }),
  row: (r, s) => [
    f.z(r.yesterday, s.mean),
    f.z(r.week_ago, s.mean),
    f.z(r.two_weeks_ago, s.mean),
    f.z(r.month_mean, s.mean),
    ...f.oneHot(f.dow(r.date), 7),
    ...f.cyclic(f.month(r.date), 12),
  ],
})

// %% [train] id="model"
const model = await train({
  split: parts,
  task: { kind: "forecast", target: "ridership", time: "date", season: 7, horizon: 1 },
  against: floor,
  features: feats,
  model: "mlp",
  loss: "absolute",
  epochs: 40,
  batch: 64,
  patience: 8,
})

// %% [promote] id="second"
const second = await promote({
  name: "ridership",
  model,
  against: floor,
})

// %% [markdown] id="drift-text"
// ## Step 5: fifteen years
// A model of 2001 would not know 2016: the station has grown by two fifths.

// %% [sql] id="early"
const early = sql`select date, ridership, dayofweek(date) as dow from 'data/chicago-ridership.csv' where year(date) = 2001`

// %% [sql] id="since"
const since = sql`select date, ridership, dayofweek(date) as dow from 'data/chicago-ridership.csv' where year(date) > 2001`

// %% [drift] id="drift"
const moved = await drift({ reference: early, current: since, columns: ["ridership", "dow"], every: "year" })
