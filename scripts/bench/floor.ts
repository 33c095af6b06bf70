/** The floor of the table: an Express echo of JSON behind a verified token, and nothing else. */
import { serve } from './peers/serve.ts'

serve((request, response) => response.json(request.body))
