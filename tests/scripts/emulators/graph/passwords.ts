import { z } from 'zod'
import { APPLICATIONS } from './applications.ts'
import { parseBody } from './body.ts'
import { done, type Graph, ok, type Routes } from './endpoint.ts'
import { writable } from './entity-set.ts'
import { passwordLifeRefused, passwordsRefused, requestError } from './errors.ts'
import { remove } from './lookup.ts'

const DAY = 24 * 60 * 60 * 1000
const SUBJECT = { resource: 'PasswordCredential', readOnly: ['secretText', 'keyId', 'hint'] }

const Added = z.strictObject({
  passwordCredential: z
    .strictObject({
      displayName: z.string().max(90).nullish(),
      startDateTime: z.iso.datetime().optional(),
      endDateTime: z.iso.datetime().optional(),
    })
    .default({}),
})
const Removed = z.strictObject({ keyId: z.guid() })

/** Source: "Application management policies" in the Graph reference; the codes are those that its clients handle. */
function checkPolicy({ directory, entra }: Graph, start: string | undefined, end: Date): void {
  const { passwordAddition, passwordLifetimeDays } = directory.appManagementPolicy
  if (passwordAddition === 'refused') throw passwordsRefused()
  if (passwordLifetimeDays === null) return
  const life = end.getTime() - (start ? Date.parse(start) : entra.now())
  if (life > passwordLifetimeDays * DAY) throw passwordLifeRefused()
}

/** The only way to a secret: Graph makes it up and shows it once, in this answer. */
export const PASSWORD_ROUTES: Routes = {
  '/applications/:key/addPassword': {
    post: (call) => {
      const { directory, entra } = call
      const app = writable(call, APPLICATIONS)
      const { passwordCredential: wanted } = parseBody(Added, call.body, SUBJECT)
      // Two years, when nothing is said.
      const end = wanted.endDateTime ? new Date(wanted.endDateTime) : new Date(entra.now() + 730 * DAY)
      checkPolicy(call, wanted.startDateTime, end)
      const credential = directory.addPassword(app, wanted.displayName ?? '', end)
      return ok({ customKeyIdentifier: null, ...credential })
    },
  },
  '/applications/:key/removePassword': {
    post: (call) => {
      const app = writable(call, APPLICATIONS)
      const { keyId } = parseBody(Removed, call.body, { ...SUBJECT, readOnly: [] })
      const credential = app.passwordCredentials.find((one) => one.keyId === keyId)
      if (!credential) throw requestError(`No password credential found with keyId ${keyId}.`)
      remove(app.passwordCredentials, credential)
      return done
    },
  },
}
