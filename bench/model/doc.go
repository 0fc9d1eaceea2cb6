// Package model holds the engine against models of it, by state machines that rapid makes up. It is here
// because the root module requires nothing.
package model
