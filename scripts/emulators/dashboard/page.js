const [live, state] = ['live', 'state'].map((id) => document.getElementById(id))
const events = new EventSource(`/decisions${location.search}`)
events.onmessage = ({ data }) => {
  live.innerHTML = JSON.parse(data)
  state.textContent = ''
}
events.onerror = () => {
  state.textContent = 'npm start has ended. This page waits for the next one.'
}
