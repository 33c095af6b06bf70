import { ApiRefusal } from '../../../../scripts/emulators/api.ts'
import { refuse } from '../../../../scripts/emulators/graph/errors.ts'

/** A refusal that says what it is about: a property. */
class DetailedRefusal extends ApiRefusal {
  override name = 'DetailedRefusal'
  readonly details: { code: string; message: string; target: string }[]

  constructor({ status, code, message }: ApiRefusal, target: string, detail: string) {
    super(status, code, message)
    this.details = [{ code: detail, message, target }]
  }
}

export const about = (target: string, refusal: ApiRefusal, code = refusal.code): ApiRefusal =>
  new DetailedRefusal(refusal, target, code)

export const requestError = (message: string) => new ApiRefusal(400, 'Request_BadRequest', message)
export const notFound = (key: string) =>
  refuse`404 Request_ResourceNotFound: Resource '${key}' does not exist or one of its queried reference-property objects are not present.`
/** A value that another object of the directory has, the recycle bin included. */
export const takenValue = (property: string) =>
  about(
    property,
    requestError(`Another object with the same value for property ${property} already exists.`),
    'ObjectConflict',
  )
export const sameKey = (message: string) =>
  new ApiRefusal(409, 'Request_MultipleObjectsWithSameKeyValue', message)
export const duplicateValues = () =>
  refuse`400 DuplicateValue: Request contains a property with duplicate values.`
export const concurrencyViolation = () =>
  refuse`409 Directory_ConcurrencyViolation: Unable to perform the operation because another operation on the same object is in progress. Retry the request.`
export const passwordsRefused = () =>
  refuse`400 CredentialTypeNotAllowedAsPerAppPolicy: Credential type not allowed as per assigned policy 'Default app management policy'.`
export const passwordLifeRefused = () =>
  refuse`400 CredentialInvalidLifetimeAsPerAppPolicy: Credential lifetime exceeds the max value allowed as per assigned policy 'Default app management policy'.`
