const [live, state, consent] = ['live', 'state', 'consent'].map((id) => document.getElementById(id))
const events = new EventSource(`/decisions${location.search}`)
events.onmessage = ({ data }) => {
  const { scrollTop = 0, scrollHeight = 0 } = live.querySelector('.scroll') ?? {}
  live.innerHTML = JSON.parse(data)
  const list = live.querySelector('.scroll')
  // New rows come above: whoever has scrolled down keeps seeing the same ones.
  if (scrollTop > 0) list?.scrollTo(0, scrollTop + list.scrollHeight - scrollHeight)
  state.textContent = ''
}
events.onerror = () => {
  state.textContent = 'npm start has ended. This page waits for the next one.'
}
document.querySelector('.scroll [aria-current]')?.scrollIntoView({ block: 'nearest' })

// Where the admin consent page returns to. Anybody can write an address, so it is quoted, and only as text.
const answer = new URLSearchParams(location.search)
const isRefused = answer.has('error')
if (isRefused || answer.has('admin_consent')) {
  const names = isRefused ? ['error', 'error_description'] : ['admin_consent', 'scope']
  const values = names.map((name) => `${name}=${answer.get(name) ?? ''}`).join(', ')
  consent.textContent = `${isRefused ? 'No consent was given' : 'Consent was given'}, says the address of this page: ${values}`
  consent.className = isRefused ? 'refused' : 'done'
}
