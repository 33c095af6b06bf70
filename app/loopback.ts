/** This machine itself: the only place where plain http is safe. */
export const isLoopback = ({ hostname }: URL) => ['localhost', '127.0.0.1', '[::1]'].includes(hostname)

/** The URL, if it is https (http on loopback only) and has neither credentials nor query nor fragment. */
export function safeUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url && !url.username && !url.password && !url.search && !url.hash
  return plain && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)))
    ? url
    : undefined
}
