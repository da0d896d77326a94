// ---
// title: Will my flight be late?
// seed: 42
// ---

// %% [markdown] id="intro"
// # Will my flight be late?
//
// Three million flights inside the United States, January to June 2001. A flight is *late* when it leaves more than 15 minutes after its time.
// The notebook walks the five steps to production: a **baseline** first, a **model** that has to beat it, a **simulated test** before any live traffic,
// the **drift** of the months that follow, and a **promotion** behind gates.

// %% [sql] id="flights"
const flights = sql`
  select file_row_number as id, date, delay, distance, origin, destination, delay > 15 as late
  from read_parquet('npm:vega-datasets/data/flights-3m.parquet', file_row_number = true)
  where date < timestamp '2001-07-01' and delay is not null`

// %% [markdown] id="look"
// ## What makes a flight late?
// The day fills up: each delay is handed on to the next flight of the same aircraft. The hour matters most, then the airport, then the day of the week.

// %% [sql] id="by-hour"
const byHour = sql`
  select hour(date) as hour, avg(late::int) as late, count(*) as flights
  from flights group by hour order by hour`

// %% [sql] id="by-day"
const byDay = sql`
  select isodow(date) as day, avg(late::int) as late, count(*) as flights
  from flights group by day order by day`

// %% [sql] id="by-airport"
const byAirport = sql`
  select origin, avg(late::int) as late, count(*) as flights
  from flights group by origin having count(*) > 20000 order by late desc limit 15`

// %% id="chart"
const hours = await byHour.columns()
const days = await byDay.columns()
const airports = await byAirport.columns()
display({
  data: [{ type: "bar", x: hours.hour, y: hours.late, name: "share late" }],
  layout: { title: "Share of flights more than 15 minutes late, by hour", xaxis: { title: "hour of the day" }, yaxis: { title: "share late", tickformat: ".0%" } },
})
display({
  data: [{ type: "bar", x: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], y: days.late, name: "share late" }],
  layout: { title: "Share late by weekday", xaxis: { title: "day of the week" }, yaxis: { title: "share late", tickformat: ".0%" } },
})
display({
  data: [{ type: "bar", x: airports.origin, y: airports.late, name: "share late" }],
  layout: { title: "Share late at the 15 latest large airports", xaxis: { title: "airport of departure" }, yaxis: { title: "share late", tickformat: ".0%" } },
})

// %% [markdown] id="rows"
// ## Step 1: the number to beat
// Training takes a fixed sample of 300,000 flights. The split is by time: what is learnt from January to March must hold in May and June.

// %% id="sample"
const sample = flights.sample(300_000, { key: "id" })

// %% id="split"
const parts = sample.split({ by: "time", key: "date", cut: ["2001-04-01", "2001-05-01"] })

// %% [baseline] id="floor"
const floor = await baseline({
  split: parts,
  task: { kind: "binary", target: "late" },
  metric: "log loss",
  using: ["prior", "majority", { rate: ["dow", "hour"] }],
})

// %% [markdown] id="model-text"
// ## Step 2: a small model
// The features are one closed function. The same file runs in training and in the served model, so that they cannot differ.

// %% id="features"
const feats = features({
  input: { date: "timestamp", distance: "double", origin: "string", destination: "string" },
  fit: async (rows) => ({
    distance: await f.stats(rows, "distance"),
    origin: await f.top(rows, "origin", 40),
    destination: await f.top(rows, "destination", 40),
  }),
  row: (r, s) => [
    f.z(r.distance, s.distance),
    ...f.oneHot(f.hour(r.date), 24),
    ...f.cyclic(f.hour(r.date), 24),
    ...f.oneHot(f.dow(r.date), 7),
    ...f.oneHot(r.origin, s.origin),
    ...f.oneHot(r.destination, s.destination),
  ],
})

// %% [train] id="model"
const model = await train({
  split: parts,
  task: { kind: "binary", target: "late" },
  against: floor,
  features: feats,
  model: "mlp",
  epochs: 6,
  batch: 512,
})

// %% [markdown] id="test-text"
// ## Step 3: try the test before running it
// Suppose the model in use calls 78 % of flights rightly, and the challenger is thought to be 2 % better. How many flights does a live test need, and how often would it cry wolf?

// %% [ab-test] id="plan"
const plan = await abTest({
  outcome: { kind: "proportion", rate: 0.78 },
  lift: 0.02,
  keysPerDay: 2000,
  method: "sequential",
})

// %% [markdown] id="drift-text"
// ## Step 5: the months that follow
// January against each later month. Two and a half million flights show every change, so that the question is not whether something moved but how much:
// each score stands beside what chance could do and beside a rule of thumb.

// %% [sql] id="january"
const january = sql`select date, distance, origin, destination, hour(date) as hour, late from flights where month(date) = 1`

// %% [sql] id="later"
const later = sql`select date, distance, origin, destination, hour(date) as hour, late from flights where month(date) > 1`

// %% [drift] id="drift"
const moved = await drift({
  reference: january,
  current: later,
  columns: ["distance", "origin", "destination", "hour", "late"],
  every: "month",
})

// %% [markdown] id="promote-text"
// ## Into production
// Six gates judge the model. All are shown; nothing is served before you press the button.

// %% [promote] id="promote"
const live = await promote({
  name: "flights",
  model,
  against: floor,
  budget: { p99Ms: 50, bytes: 2_000_000 },
})
