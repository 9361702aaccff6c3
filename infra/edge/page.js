// The page's own addresses (/jobs/9f2c) are files that do not exist: they are answered with the page itself.
// Only here, and not by error pages of the whole distribution, which would turn the API's 404 into a page.
function handler(event) {
  var request = event.request;
  var last = request.uri.substring(request.uri.lastIndexOf('/') + 1);
  if (last.indexOf('.') === -1) {
    request.uri = '/index.html';
  }
  return request;
}
