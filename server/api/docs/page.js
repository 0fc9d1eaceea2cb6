"use strict";

// Nothing is sent but to this server: no validator of documents elsewhere. A key that was typed in is forgotten with the page.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayOperationId: false,
  persistAuthorization: false,
  queryConfigEnabled: false,
  validatorUrl: null,
});
