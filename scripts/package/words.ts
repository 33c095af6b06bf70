/** The same words as in this repository, but for how the command is called and who asks. */
export const inOurWords = (text: string): string =>
  text
    .replaceAll('npm run whatif [-- options]', 'identity-what-if [map] [options]')
    .replaceAll('npm run whatif -- ', 'identity-what-if ')
    .replaceAll('    (without Azure: npm start)', '')
    .replaceAll(
      'Signs in as azd does.',
      'Signs in with IDENTITY_WHAT_IF_TOKEN, else as azd does, else as the Azure CLI does.',
    )
