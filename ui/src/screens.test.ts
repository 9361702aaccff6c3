import { describe, expect, it } from 'vitest';
import openapi from './api/openapi.json';
import routes from './routes.json';
import { SCREENS } from './screens';

describe('the addresses of the page', () => {
  it('are those that the server is told of', () => {
    expect(routes).toEqual(['/', ...SCREENS.map((screen) => screen.path)]);
  });

  it('are no addresses of the API', () => {
    const taken = Object.keys(openapi.paths).map((path) => path.split('/')[1]);
    for (const route of routes.slice(1)) expect(taken).not.toContain(route.split('/')[1]);
  });

  it('have no dot, by which CloudFront tells files from pages', () => {
    for (const route of routes) expect(route).not.toContain('.');
  });
});
