import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'

const DAY_MS = 24 * 60 * 60_000
/** So long before its end a certificate is warned of, every day. */
const WARNED_DAYS = 30
/** Whoever writes a file is given a moment to finish; what comes later is read again. */
const SETTLING_MS = 200

type Tell = (message: string, fields: Readonly<Record<string, string | number>>) => void
/** What a log of the server is here; its own type reads the configuration, which reads this. */
type Log = Readonly<{ info: Tell; warn: Tell; error: Tell; fault: (error: unknown) => void }>

/** A certificate with its private key, as MSAL takes it. */
export type Certificate = Readonly<{
  /** Hexadecimal. */
  thumbprintSha256: string
  /** PEM. */
  privateKey: string
  /** PEM. */
  certificate: string
  notAfter: Date
}>

/** Why a file is no certificate to sign in with; the text never quotes the file. */
export class CertificateFault extends Error {
  override name = 'CertificateFault'
  readonly code: 'certificate_unreadable' | 'certificate_not_yet_valid' | 'certificate_expired'

  constructor(code: CertificateFault['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * The server's certificate, kept in a PEM file that may be replaced while the server runs: by hand, or by Container
 * Apps from a Key Vault. What takes its place is used from the next exchange on, if it can be used; else the one before
 * stays.
 */
export class CertificateFile {
  readonly #path: string
  #current: Certificate
  /** Of the text that was judged last: events tell more often of a file than it changes. */
  #judged: string

  /** Throws CertificateFault. */
  constructor(path: string) {
    this.#path = path
    const text = textAt(path)
    this.#current = certificateIn(text)
    this.#judged = hashOf(text)
  }

  get current(): Certificate {
    return this.#current
  }

  /**
   * Looks at the file whenever its folder says that something changed, and once a day, also where the folder cannot be
   * watched. Returns what ends that.
   */
  watch(log: Log): () => void {
    this.#tellOfExpiry(log)
    const daily = setInterval(() => {
      // A folder on another machine tells of nothing.
      this.#reload(log, true)
      this.#tellOfExpiry(log)
    }, DAY_MS).unref()
    let settling: NodeJS.Timeout | undefined
    const changed = () => {
      settling ??= setTimeout(() => {
        settling = undefined
        this.#reload(log)
      }, SETTLING_MS).unref()
    }
    const watcher = watched(dirname(this.#path), changed, log)
    return () => {
      clearInterval(daily)
      clearTimeout(settling)
      watcher?.close()
    }
  }

  #reload(log: Log, again = false): void {
    const text = textAt(this.#path)
    const hash = hashOf(text)
    if (hash === this.#judged && !again) return
    this.#judged = hash
    try {
      const found = certificateIn(text)
      if (found.thumbprintSha256 === this.#current.thumbprintSha256) return
      this.#current = found
      log.info('The certificate was replaced.', factsOf(found))
    } catch (error) {
      if (!(error instanceof CertificateFault)) throw error
      log.warn(`The certificate file cannot be used, so the certificate before stays: it ${error.message}`, {
        code: error.code,
        ...factsOf(this.#current),
      })
    }
  }

  #tellOfExpiry(log: Log): void {
    const days = Math.floor((this.#current.notAfter.getTime() - Date.now()) / DAY_MS)
    if (days > WARNED_DAYS) return
    const remedy = 'Add a new one to the app registration, then replace the file.'
    if (days < 0)
      log.error(`The certificate has expired. ${remedy}`, {
        code: 'certificate_expired',
        ...factsOf(this.#current),
      })
    else
      log.warn(`The certificate expires soon. ${remedy}`, {
        code: 'certificate_expires',
        days,
        ...factsOf(this.#current),
      })
  }
}

/**
 * The folder, not the file: a file that is replaced, or a link that is turned, would no longer be the watched one.
 * undefined: a machine has so many watchers (ENOSPC, EMFILE of inotify), which is no reason for a server to end.
 */
function watched(folder: string, changed: () => void, log: Log): FSWatcher | undefined {
  try {
    return watch(folder, { persistent: false }, changed).on('error', (error) => log.fault(error))
  } catch (error) {
    log.fault(error)
    return undefined
  }
}

/** Both are public: what Entra shows of the certificate. */
const factsOf = ({ thumbprintSha256, notAfter }: Certificate) => ({
  thumbprint_sha256: thumbprintSha256,
  not_after: notAfter.toISOString(),
})

const hashOf = (text: string | undefined) =>
  createHash('sha256')
    .update(text ?? '')
    .digest('hex')

function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const unreadable = () =>
  new CertificateFault(
    'certificate_unreadable',
    'should be the path of a readable PEM file with a certificate and its unencrypted private key (RSA).',
  )

/** A Key Vault writes the key, then the certificate, then those that issued it: the one that fits the key counts. */
function certificateIn(text: string | undefined): Certificate {
  const privateKey = /-----BEGIN (RSA )?PRIVATE KEY-----[\s\S]+?-----END \1?PRIVATE KEY-----/.exec(
    text ?? '',
  )?.[0]
  const certificates = text?.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  if (!privateKey) throw unreadable()
  const fitting = parsed(certificates, privateKey)
  if (!fitting) throw unreadable()
  const [notBefore, notAfter] = [new Date(fitting.validFrom), new Date(fitting.validTo)]
  if (notAfter.getTime() <= Date.now())
    throw new CertificateFault(
      'certificate_expired',
      `names a certificate that expired on ${notAfter.toISOString()}.`,
    )
  if (notBefore.getTime() > Date.now())
    throw new CertificateFault(
      'certificate_not_yet_valid',
      `names a certificate that is valid from ${notBefore.toISOString()} on.`,
    )
  const thumbprintSha256 = fitting.fingerprint256.replaceAll(':', '')
  return { thumbprintSha256, privateKey, certificate: fitting.toString(), notAfter }
}

function parsed(certificates: readonly string[], privateKey: string): X509Certificate | undefined {
  try {
    const key: KeyObject = createPrivateKey(privateKey)
    // Entra takes assertions signed with RSA keys only.
    if (key.asymmetricKeyType !== 'rsa') return undefined
    return certificates.map((pem) => new X509Certificate(pem)).find((one) => one.checkPrivateKey(key))
  } catch {
    return undefined
  }
}
