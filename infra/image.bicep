// Reads back what azd deploy and the portal have put into the container app, so that azd provision keeps it.
// Its own module: a resource and its existing twin in one template would be a circle.

import { customDomainType } from 'types.bicep'

@description('Name of the container app.')
param serverName string

resource server 'Microsoft.App/containerApps@2025-07-01' existing = {
  name: serverName
}

@description('The image that runs now.')
output image string = server.properties.template.containers[0].image

@description('The custom domains that are bound now; binding one needs a certificate and happens outside.')
output customDomains customDomainType[] = server.properties.configuration.ingress.?customDomains ?? []
