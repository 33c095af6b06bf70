import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Cache } from '../../app/cache.ts'

const load = async (key: string) => ({ value: { text: key }, milliseconds: 60_000 })
const sizeOf = ({ text }: { text: string }) => text.length

describe('a cache', () => {
  it('is bounded by entries', async () => {
    const cache = new Cache(2, load)
    for (const key of ['a', 'b', 'c']) await cache.get(key, key)
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => cache.known(key)?.text),
      [undefined, 'b', 'c'],
    )
  })

  it('is bounded by bytes: many small ones, or few large ones', async () => {
    const cache = new Cache({ bytes: 100, sizeOf }, load)
    const small = Array.from({ length: 50 }, (_, index) => String(index).padStart(2, '0'))
    for (const key of small) await cache.get(key, key)
    assert.ok(small.every((key) => cache.known(key)))
    const large = 'x'.repeat(90)
    await cache.get(large, large)
    assert.equal(small.filter((key) => cache.known(key)).length, 5)
    assert.equal(cache.known(large)?.text, large)
  })

  it('hands out what is too large to be kept', async () => {
    const cache = new Cache({ bytes: 10, sizeOf }, load)
    const large = 'x'.repeat(11)
    assert.equal((await cache.get(large, large)).text, large)
    assert.equal(cache.known(large), undefined)
  })
})
