/** azd hands AZURE_PRINCIPAL_ID to its own build of the parameters only, neither to hooks nor to `azd env get-values`. */
export function withoutPrincipal(variables: Record<string, string>): Record<string, string> {
  const { AZURE_PRINCIPAL_ID: _, ...rest } = variables
  return rest
}
