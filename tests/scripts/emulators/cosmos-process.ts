import { startCosmos } from '../../../scripts/emulators/cosmos.ts'

/** An emulator as a process of its own, so that a test can kill it: prints its URL, then serves. */
const [file = '', key = ''] = process.argv.slice(2)
const { url } = await startCosmos({ port: 0, file, key, database: 'expenses', container: 'expenses' })
console.log(url)
