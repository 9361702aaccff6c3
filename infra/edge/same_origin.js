// The API refuses pages of other origins by comparing Origin with the host that was asked. Behind CloudFront it sees
// its own host, so the comparison is made here: the page's own requests lose the header, all others keep it.
function handler(event) {
  var request = event.request;
  var origin = request.headers.origin;
  var host = request.headers.host;
  if (origin && host && origin.value === 'https://' + host.value) {
    delete request.headers.origin;
  }
  return request;
}
