import type { Application } from '../directory-objects.ts'
import { checkClientAssertion } from './client-assertion.ts'
import { type Entra, type Parameters, required } from './entra.ts'
import * as refusals from './refusals.ts'
import type { ClientProof } from './tokens.ts'

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The credentials of an `Authorization: Basic` header as if they stood in the body. */
export function withBasic(parameters: Parameters, authorization: string | undefined): Parameters {
  const [, encoded] = /^Basic ([\w+/]+=*)$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return parameters
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':', 2).map(unescapeForm)
  return { ...parameters, client_id: parameters.client_id ?? id, client_secret: secret }
}

const unescapeForm = (text: string) => new URLSearchParams(`v=${text}`).get('v') ?? ''

/** Throws AADSTS900144, 700016 or 7000112. */
export function clientOf({ directory, tenantId }: Entra, parameters: Parameters): Application {
  const clientId = required(parameters, 'client_id')
  const client = directory.application(clientId)
  if (!client) throw refusals.client.unknown({ clientId, tenant: tenantId })
  if (directory.servicePrincipal(client.appId)?.accountEnabled === false)
    throw refusals.client.disabled(client)
  return client
}

/**
 * Secret, certificate or federated assertion; throws AADSTS7000218, 7000215, 7000222 or those of assertions. A public
 * client has nothing to prove itself with, and what it sends as proof is refused.
 */
export async function prove(
  entra: Entra,
  client: Application,
  parameters: Parameters,
  isPublic = false,
): Promise<ClientProof> {
  const { client_secret: secret, client_assertion: assertion, client_assertion_type: type } = parameters
  if (isPublic) {
    if (secret !== undefined || assertion !== undefined) throw refusals.client.credentialUnwanted()
    return '0'
  }
  if (assertion !== undefined) {
    if (type !== ASSERTION_TYPE) throw refusals.request.badParameter({ name: 'client_assertion_type' })
    await checkClientAssertion(entra, client, assertion)
    return '2'
  }
  if (secret === undefined) throw refusals.client.credentialNeeded()
  const credential = entra.directory.passwordOf(client, secret)
  if (!credential) throw refusals.client.secretWrong(client)
  if (Date.parse(credential.endDateTime) <= entra.now()) throw refusals.client.secretExpired(client)
  return '1'
}
