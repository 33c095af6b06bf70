/** This machine itself: the only place where plain http is safe. As in app/, of which the package of the what-if holds nothing. */
export const isLoopback = ({ hostname }: URL): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
