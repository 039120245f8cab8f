// @ts-check
// A form's content in the address's fragment, which no server and no log ever sees: #s=… holds it
// as JSON, deflated, in base64url. Opening such a link fills the form in, and runs nothing.
export {};
