import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { evaluate, neverFound, type Row, tableOf } from './kql.ts'

const time = (text: string) => new Date(`${text}Z`)
/** What an expression is of one row; `extend` stands for the documentation's `print`. */
const ofRow = (expression: string, row: Row = {}) => evaluate(`T | extend it = ${expression}`, [row])[0]?.it
/** What an aggregate is of a column x. */
const ofAll = (aggregate: string, values: readonly unknown[]) =>
  evaluate(
    `T | summarize it = ${aggregate}`,
    values.map((x) => ({ x })),
  )[0]?.it
const sorted = (values: readonly unknown[]) =>
  evaluate(
    'T | order by x desc',
    values.map((x) => ({ x })),
  ).map(({ x }) => x)

describe('The query language, as its documentation has it', () => {
  it('rounds down to a bin (bin-function)', () => {
    assert.deepEqual(ofRow('bin(t, 1440m)', { t: time('1970-05-11T13:45:07') }), time('1970-05-11T00:00:00'))
    assert.deepEqual(ofRow('bin(t, 30m)', { t: time('2026-11-21T13:59:12') }), time('2026-11-21T13:30:00'))
    assert.equal(ofRow('bin(none, 30m)', { none: undefined }), undefined)
  })

  it('sums up by bins, whose column keeps its name, and has no row for an empty one (bin-function)', () => {
    const storms = [
      ['2007-04-08T04:00:00', 3_000],
      ['2007-04-11T09:00:00', 1_000],
      ['2007-04-12T01:00:00', 5_000],
      ['2007-04-12T23:59:59', 100_000],
    ] as const
    const rows = storms.map(([at, damage]) => ({ StartTime: time(at), DamageProperty: damage }))
    const query = 'StormEvents | summarize PropertyDamage = sum(DamageProperty) by bin(StartTime, 1440m)'
    assert.deepEqual(evaluate(query, rows), [
      { StartTime: time('2007-04-08T00:00:00'), PropertyDamage: 3_000 },
      { StartTime: time('2007-04-11T00:00:00'), PropertyDamage: 1_000 },
      { StartTime: time('2007-04-12T00:00:00'), PropertyDamage: 105_000 },
    ])
  })

  it('sorts from high to low (sort-operator)', () => {
    assert.deepEqual(sorted([-5, 5, 0]), [5, 0, -5])
  })

  it('takes nearest ranks as percentiles (percentiles-aggregation-function, which points to these)', () => {
    const values = [15, 20, 35, 40, 50]
    const ranks = [5, 30, 40, 50, 100].map((share) => ofAll(`percentile(x, ${share})`, values))
    assert.deepEqual(ranks, [15, 20, 20, 35, 50])
    assert.equal(ofAll('percentile(x, 0)', values), 15)
    assert.equal(ofAll('percentile(x, 50)', []), undefined)
  })

  it('has one row of nothing without groups, and none with (summarize-operator)', () => {
    const all =
      'T | summarize c = count(), f = countif(x > 0), s = sum(x), d = dcount(x), p = percentile(x, 55)'
    assert.deepEqual(evaluate(all, []), [{ c: 0, f: 0, s: 0, d: 0, p: undefined }])
    assert.deepEqual(evaluate(`${all} by x`, []), [])
  })

  it('counts rows with nulls, and sums and distinguishes without them (summarize-operator, null-values)', () => {
    const values = [undefined, 5, 5, 5]
    assert.equal(ofAll('sum(x)', values), 15)
    assert.equal(ofAll('count()', values), 4)
    assert.equal(ofAll('dcount(x)', values), 1)
    // A string is never null.
    assert.equal(ofAll('dcount(tostring(x))', [undefined, 'a', 'b', 'a']), 3)
    assert.equal(ofAll('dcountif(tostring(x), isnotempty(x))', [undefined, 'a', 'b', 'a']), 2)
    assert.equal(ofAll('sumif(x, x > 1)', [1, 2, 3, undefined]), 5)
  })

  it('finds the latest (max-aggregation-function)', () => {
    const at = ['2007-12-30T16:00:00', '2007-12-31T23:53:00', '2007-01-01T00:00:00'].map(time)
    assert.deepEqual(ofAll('max(x)', [...at, undefined]), time('2007-12-31T23:53:00'))
    assert.equal(ofAll('max(x)', []), undefined)
  })

  it('compares null with nothing (null-values)', () => {
    const rows = [{ val: 5 }, { val: undefined }]
    assert.deepEqual(evaluate('T | where val > 3', rows), [{ val: 5 }])
    assert.deepEqual(evaluate('T | where val == val', rows), [{ val: 5 }])
    assert.deepEqual(evaluate('T | where val in (val, 6)', rows), [{ val: 5 }])
    assert.deepEqual(evaluate('T | extend b = val * 10', rows), [
      { val: 5, b: 50 },
      { val: undefined, b: undefined },
    ])
  })

  it('takes the first that is something (coalesce-function)', () => {
    assert.equal(ofRow("coalesce(tolong('42'), 33)"), 42)
    assert.equal(ofRow("coalesce(tolong('not a number'), 33)"), 33)
  })

  it('reads JSON by its keys, and what is none has none (parse-json-function, dynamic)', () => {
    const duration = '{"duration":{"value":118.0,"count":5.0,"min":100.0,"max":150.0,"stdDev":0.0}}'
    const read = (key: string, text = duration) => ofRow(`parse_json(text)${key}`, { text })
    assert.equal(read('.duration.value'), 118)
    assert.equal(read("['duration'].min"), 100)
    assert.equal(read('.another.value'), undefined)
    assert.equal(read('.length', 'no JSON'), undefined)
    assert.equal(ofRow('tostring(parse_json(text).a)', { text: '{"a":null}' }), '')
  })

  it('starts with, in any case (startswith-operator)', () => {
    assert.equal(ofRow("'Fabrikam' startswith 'fab'"), true)
    assert.equal(ofRow("'Fabrikam' startswith 'kam'"), false)
  })

  it('divides real numbers (numerical-operators)', () => {
    assert.equal(ofRow('1.0 / 2'), 0.5)
    assert.equal(ofRow('1 / 2.0'), 0.5)
    assert.equal(ofRow('failed * 100.0 / requests', { failed: 1, requests: 8 }), 12.5)
  })
})

describe('The query language refuses', () => {
  const rows = [{ x: 1, s: 'a', t: time('2026-11-21T13:59:12'), line: { a: 1 }, whole: 3 }]
  const refused: [why: string, query: string, message: RegExp][] = [
    ['an operator it does not know', 'T | take 5', /operator take/],
    ['a function it does not know', 'T | extend b = strlen(s)', /function strlen/],
    ['an aggregate it does not know', 'T | summarize b = avg(x)', /aggregate avg/],
    ['a letter it does not know', 'T | where x != 1', /Not understood: .*!= 1/],
    ['more than an expression', 'T | where x == 1 2', /Not understood: 2/],
    ['a column that is not there', 'T | where y == 1', /no column y/],
    ['a column that is made beside it', 'T | extend b = x, c = b', /no column b/],
    ['a keyword as a name', 'T | summarize last = max(t)', /last is no name/],
    ['a name that Kusto would make up', 'T | summarize count()', /needs a name/],
    ['a group of dynamic values', 'T | summarize b = count() by a = line.a', /a is dynamic/],
    ['a condition that is none', 'T | where x', /condition/],
    ['a part of a condition that is none', 'T | where x == 1 and s', /condition/],
    ['to count by a condition that is none', 'T | summarize b = countif(x)', /condition/],
    ['whether two times are one', 'T | where t == t', /string, number or boolean/],
    ['whether two dynamic objects are one', 'T | where line in (line)', /string, number or boolean/],
    ['how many times there are', 'T | summarize b = dcount(t)', /string, number or boolean/],
    ['whether a number is a string', 'T | where x == s', /of one type/],
    ['whether a number is one of strings', "T | where x in ('1')", /of one type/],
    ['what a number starts with', "T | where x startswith '1'", /string was expected/],
    ['what starts with a number', 'T | where s startswith x', /string was expected/],
    ['an alternative', 'T | where x == 1 or x == 2', /Not understood: or/],
    ['to sort from low to high', 'T | order by x asc', /desc was expected/],
    ['to sort by two columns', 'T | order by x desc, s desc', /Not understood: ,/],
    ['too many arguments', 'T | summarize b = count(x)', /count takes 0/],
    ['a quotient that Kusto would cut off', 'T | extend b = whole / x', /whole numbers/],
    ['a percentile above 100', 'T | summarize b = percentile(x, 101)', /percentile/],
    ['the greatest of strings', 'T | summarize b = max(s)', /datetimes/],
    ['a sum of strings', 'T | summarize b = sum(s)', /A number was expected/],
    ['a time as a string', 'T | extend b = tostring(t)', /Times/],
    ['a bin of no part of a day', 'T | extend b = bin(t, 7m)', /part of a day/],
    ['a bin of nothing', 'T | extend b = bin(t, 0m)', /part of a day/],
    ['a bin of a number', 'T | extend b = bin(x, 1)', /bin\(\)/],
    ['a unit it does not know', 'T | extend b = bin(t, 1d)', /unit of 1d/],
    ['two tables', 'T U | where x == 1', /One table/],
  ]
  for (const [why, query, message] of refused)
    it(why, () => {
      assert.throws(() => evaluate(query, rows), message)
    })

  it('an order of what has none', () => {
    for (const none of ['a', Number.NaN, undefined]) assert.throws(() => sorted([1, none]), /by numbers/)
  })
})

describe('Of a query is known', () => {
  it('its table', () => {
    assert.equal(tableOf('AppRequests\n| where x == 1'), 'AppRequests')
  })

  it('which keys no row has', () => {
    const query =
      "T | extend line = parse_json(Log) | summarize n = countif(isnotempty(line.a)), m = countif(line['b'] == 1)"
    const rows = [{ Log: '{"a":1}' }, { Log: 'no JSON' }]
    assert.deepEqual(neverFound(query, rows), ['b'])
    assert.deepEqual(neverFound(query, [...rows, { Log: '{"b":2}' }]), [])
  })
})
