/** What Entra refuses, by what is wrong: see "AADSTS error codes" in its documentation. */
export * as client from './refusals/client.ts'
export * as grant from './refusals/grant.ts'
export { outage } from './refusals/outage.ts'
export * as principal from './refusals/principal.ts'
export * as request from './refusals/request.ts'
export * as scope from './refusals/scope.ts'
