// %% id="threshold"
const least = 3
const tricky = "it's 'quoted' -- and ${not} a template"

// %% [sql] id="numbers"
const numbers = sql`select i as id, i * i as square, i % 2 = 0 as even, date '2020-02-28' + i::int as day from range(8) t(i)`

// %% [sql] id="large"
const large = sql`select * from numbers where id >= ${least} order by id`

// %% [sql] id="counted"
const counted = sql`select even, count(*) as n, sum(square)::double as total, ${tricky} as said from large group by even order by even`

// %% id="rows"
const rows = await counted.rows()
rows.map(({ even, n, total, said }) => `${even} ${n} ${total} ${said === tricky}`)

// %% id="columns"
const { square, day } = await large.columns(["square", "day"])
;({ square, first: day[0] })

// %% id="shape"
const t = await large.where("even").tensor(["id", "square"])
const shape = t.shape
const values = Array.from(t.dataSync())
t.dispose()
;({ shape, values })

// %% [sql] id="types"
const types = sql`
  select 9007199254740993::bigint as wide, 1.10::decimal(9, 2) as exact, 'nan'::double as nothing, null as missing,
    timestamp '2001-02-03 04:05:06.789' as at, [1, 2] as list, {'a': 1} as record`

// %% [sql] id="wrong"
const wrong = sql`
  select id,
    sqare
  from large`
